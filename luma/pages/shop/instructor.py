"""An instructor's public page: `/instructors/{slug}`."""

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from luma.bridge import look
from luma.pages.session import viewer_of
from luma.pages.shop.fields import coded
from luma.pages.shop.render import render
from luma.pages.shop.structure import as_script
from luma.services import instructors, markdown
from luma.services.instructors import InstructorPage
from luma.settings import settings

router = APIRouter(include_in_schema=False)


@router.api_route("/instructors/{slug}", methods=["GET", "HEAD"])
async def instructor_page(request: Request, slug: str, code: str = "") -> Response:
    """`code` is a coupon's, which goes along to each course."""
    viewer = viewer_of(request)
    person = await look(instructors.page, slug, viewer.id if viewer else None)
    return render(
        request,
        "instructor.html.j2",
        here="courses",
        person=person,
        about=Markup(markdown.render(person.about)),  # noqa: S704  (sanitised there)
        address=address(person.slug),
        structured=structured(person),
        kept_code=coded(code),
    )


def address(slug: str) -> str:
    return f"{settings().base_url}/instructors/{slug}"


def structured(person: InstructorPage) -> Markup:
    """schema.org's Person, and the page that is about them."""
    who: dict[str, object] = {
        "@type": "Person",
        "@id": address(person.slug),
        "name": person.name,
        "url": address(person.slug),
        "description": person.promise,
    }
    if person.picture:
        who["image"] = f"{settings().base_url}/images/{person.picture}"
    return as_script({"@context": "https://schema.org", "@type": "ProfilePage", "mainEntity": who})
