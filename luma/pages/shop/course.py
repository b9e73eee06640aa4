"""A course's public page: `/courses/{slug}`."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from luma.bridge import look, perform
from luma.pages import words
from luma.pages.guard import limits
from luma.pages.session import viewer_of
from luma.pages.shop import instructor, pictures
from luma.pages.shop.render import render
from luma.pages.shop.structure import as_script
from luma.services import landing, markdown, review_wall
from luma.services.landing import CoursePage, LessonRow
from luma.services.landing_doors import Buy, Continue, Door, Pending
from luma.services.money import guesses, taxes
from luma.services.money.promotions import Answer, Offer
from luma.services.policies import Actor
from luma.services.review_wall import ReviewCard, Sort, Wall
from luma.settings import settings

MOST_PAGES = 1_000
"""Of reviews."""
MOST_TOLD = 5
"""Reviews that search engines are told of."""

router = APIRouter(include_in_schema=False)
router.include_router(pictures.router)


@router.api_route("/courses/{slug}", methods=["GET", "HEAD"])
async def course_page(
    request: Request,
    slug: str,
    preview: str = "",
    order: str = "",
    reviews: str = "",
    code: str = "",
) -> Response:
    """`preview` is the free lesson to play, for visitors without scripts.

    `reviews` is the page of reviews to read up to, in their `order`. `code` is a coupon's.
    """
    viewer = viewer_of(request)
    course, door = await look(landing.course_page, slug, viewer.id if viewer else None)
    by: Sort = "helpful" if order == "helpful" else "newest"
    number = _page(reviews)
    wall = await _wall(course, viewer, by, number)
    asked = await _asked(request, course, door, code)
    previews = course.previews
    return render(
        request,
        "course.html.j2",
        here="courses",
        course=course,
        tax_words=await look(taxes.beside_price, course.id),
        description=Markup(markdown.render(course.description)),  # noqa: S704  (sanitised there)
        first_preview=previews[0] if previews else None,
        playing=next((one.public_id for one in previews if one.public_id == preview), None),
        frame_address=frame_address,
        structured=structured(course, wall),
        wall=wall,
        order=by,
        page=number,
        to=partial(_further, by, asked.code if asked else ""),
        picture=picture(course),
        button=_button(course, door, asked),
        asked=asked,
        offer=asked.offer if asked else None,
        kept_code=f"&code={quote(asked.code)}" if asked else "",
    )


async def _asked(request: Request, course: CoursePage, door: Door, code: str) -> Answer | None:
    """Only whoever may buy the course is told about a code."""
    viewer = viewer_of(request)
    if not code.strip() or not isinstance(door, Buy) or course.price.is_zero:
        return None
    buyer_id, address = viewer.id if viewer else None, limits.address(request.scope)
    return await perform(guesses.answer, course.id, buyer_id, code, address)


async def _wall(course: CoursePage, viewer: Actor | None, order: Sort, page: int) -> Wall:
    """A course without a review is not asked for any."""
    if not course.rating.count and viewer is None:
        return Wall()
    return await look(review_wall.wall, course.id, viewer.id if viewer else None, order, page)


def _page(said: str) -> int:
    return min(max(1, int(said)), MOST_PAGES) if said.isdecimal() and len(said) < 6 else 1


def _further(order: Sort, code: str, page: int) -> str:
    query = {"order": order} if order == "helpful" else {}
    kept = {"code": code} if code else {}
    return f"?{urlencode({**query, **kept, 'reviews': page})}#reviews"


def frame_address(lesson: LessonRow) -> str:
    start = f"&start={lesson.video_start}" if lesson.video_start else ""
    return f"{settings().youtube_frame}/embed/{lesson.video_id}?rel=0&playsinline=1{start}"


@dataclass(frozen=True, slots=True)
class Button:
    """The one main button.

    `kind`: "post" and "open" act, "pending" and "paused" wait, "teach" edits.
    """

    kind: str
    to: str
    label: str
    hint: str = ""


def picture(course: CoursePage) -> str:
    """What other sites show beside a link here."""
    own = course.image_id and f"/images/{course.image_id}"
    return f"{settings().base_url}{own or pictures.address(course.title)}"


def _button(course: CoursePage, door: Door, asked: Answer | None) -> Button:
    match door:
        case Buy():
            return _buy(course, asked.offer if asked else None)
        case Pending(order_id):
            return Button("pending", f"/checkout/{order_id}", "Payment pending")
        case Continue(lesson_id, lesson, position, started):
            to = f"/learn/{course.slug}/{lesson_id}" if lesson_id else "/learn"
            at = f"{lesson}, {words.clock(position)}" if position else lesson
            label = "Continue" if started else "Start learning"
            return Button("open", to, label, at)
    return Button("teach", f"/studio/{course.public_id}", "You teach this: edit")


def _buy(course: CoursePage, offer: Offer | None) -> Button:
    if offer:
        label = "Enrol free" if offer.is_free else f"Buy for {offer.total.words()}"
        return Button("post", f"/courses/{course.slug}/buy", label)
    if course.is_paused:
        return Button("paused", "", "Buying is paused")
    if course.price.is_zero:
        return Button("post", f"/courses/{course.slug}/enrol", "Enrol free")
    return Button("post", f"/courses/{course.slug}/buy", f"Buy for {course.price.words()}")


def structured(course: CoursePage, wall: Wall) -> Markup:
    """schema.org's Course."""
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
        **_rated(course, wall),
    }
    return as_script(thing)


def _instructor(course: CoursePage) -> dict[str, object]:
    person: dict[str, object] = {"@type": "Person", "name": course.instructor}
    if course.instructor_slug:
        person["url"] = instructor.address(course.instructor_slug)
    return person


def _instance(course: CoursePage) -> dict[str, object]:
    instance: dict[str, object] = {
        "@type": "CourseInstance",
        "courseMode": "Online",
        "instructor": _instructor(course),
    }
    if course.seconds:
        instance["courseWorkload"] = words.span(course.seconds)
    return instance


def _rated(course: CoursePage, wall: Wall) -> dict[str, object]:
    """Nothing while there are too few reviews for an average."""
    rating = course.rating
    if not rating.is_shown:
        return {}
    return {
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": rating.average,
            "ratingCount": rating.count,
            "bestRating": 5,
            "worstRating": 1,
        },
        "review": [_review(card) for card in wall.cards[:MOST_TOLD]],
    }


def _review(card: ReviewCard) -> dict[str, object]:
    return {
        "@type": "Review",
        "author": {"@type": "Person", "name": card.writer},
        "datePublished": card.written_at.date().isoformat(),
        "reviewBody": card.text,
        "reviewRating": {"@type": "Rating", "ratingValue": card.stars, "bestRating": 5},
    }
