"""A course's public page: `/courses/{slug}`."""

import json
from dataclasses import dataclass

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from luma.bridge import look
from luma.pages import words
from luma.pages.session import viewer_of
from luma.pages.shop import pictures
from luma.pages.shop.render import render
from luma.services import landing, markdown
from luma.services.landing import Buy, Continue, CoursePage, Door, LessonRow, Pending
from luma.settings import settings

router = APIRouter(include_in_schema=False)
router.include_router(pictures.router)


@router.api_route("/courses/{slug}", methods=["GET", "HEAD"])
async def course_page(request: Request, slug: str, preview: str = "") -> Response:
    """`preview` is the free lesson to play, for visitors without scripts."""
    viewer = viewer_of(request)
    course, door = await look(landing.course_page, slug, viewer.id if viewer else None)
    previews = course.previews
    return render(
        request,
        "course.html.j2",
        here="courses",
        course=course,
        description=Markup(markdown.render(course.description)),  # noqa: S704  (sanitised there)
        first_preview=previews[0] if previews else None,
        playing=next((one.public_id for one in previews if one.public_id == preview), None),
        frame_address=frame_address,
        structured=structured(course),
        picture=picture(course),
        button=_button(course, door),
    )


def frame_address(lesson: LessonRow) -> str:
    start = f"&start={lesson.video_start}" if lesson.video_start else ""
    return f"{settings().youtube_frame}/embed/{lesson.video_id}?rel=0&playsinline=1{start}"


@dataclass(frozen=True, slots=True)
class Button:
    """The one main button. `kind`: "post" and "open" act, "pending" waits, "teach" edits."""

    kind: str
    to: str
    label: str
    hint: str = ""


def picture(course: CoursePage) -> str:
    """What other sites show beside a link here."""
    own = course.image_id and f"/images/{course.image_id}"
    return f"{settings().base_url}{own or pictures.address(course.title)}"


def _button(course: CoursePage, door: Door) -> Button:
    match door:
        case Buy():
            return _buy(course)
        case Pending(order_id):
            return Button("pending", f"/checkout/{order_id}", "Payment pending")
        case Continue(lesson_id, lesson, position, started):
            to = f"/learn/{course.slug}/{lesson_id}" if lesson_id else "/learn"
            at = f"{lesson}, {words.clock(position)}" if position else lesson
            label = "Continue" if started else "Start learning"
            return Button("open", to, label, at)
    return Button("teach", f"/studio/{course.public_id}", "You teach this: edit")


def _buy(course: CoursePage) -> Button:
    if course.price.is_zero:
        return Button("post", f"/courses/{course.slug}/enrol", "Enrol free")
    return Button("post", f"/courses/{course.slug}/buy", f"Buy for {course.price.words()}")


def structured(course: CoursePage) -> Markup:
    """schema.org's Course as JSON-LD. `<` is written so that no text can end the script."""
    address = f"{settings().base_url}/courses/{course.slug}"
    thing: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Course",
        "@id": address,
        "url": address,
        "name": course.title,
        "description": course.promise,
        "about": course.subject.words,
        "image": picture(course),
        "provider": {"@type": "Organization", "name": "LUMA", "url": settings().base_url},
        "hasCourseInstance": _instance(course),
        "offers": {
            "@type": "Offer",
            "category": "Free" if course.price.is_zero else "Paid",
            "price": course.price.decimal(),
            "priceCurrency": course.price.currency.upper(),
            "availability": "https://schema.org/InStock",
            "url": address,
        },
    }
    text = json.dumps(thing, ensure_ascii=False)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)  # noqa: S704  (JSON without a single < in it)


def _instance(course: CoursePage) -> dict[str, object]:
    instance: dict[str, object] = {
        "@type": "CourseInstance",
        "courseMode": "Online",
        "instructor": {"@type": "Person", "name": course.instructor},
    }
    if course.seconds:
        instance["courseWorkload"] = words.span(course.seconds)
    return instance
