"""The catalogue: `/`."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.bridge import look
from luma.pages.session import viewer_of
from luma.pages.shop.render import render
from luma.services import catalogue
from luma.services.wishes import Wish
from luma.values import Subject

LONGEST_SEARCH = 100
MOST_PAGES = 10_000

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def shop_window(request: Request) -> Response:
    """All of it, or the part that a script asks for: "shelf", or "more" for one page alone."""
    wish = read(request.query_params)
    viewer = viewer_of(request)
    part = request.headers.get("x-part")
    shelf = await look(catalogue.shelf, wish, viewer.id if viewer else None, alone=part == "more")
    return render(
        request,
        "shelf.html.j2" if part in ("shelf", "more") else "catalogue.html.j2",
        here="courses",
        wish=wish,
        shelf=shelf,
        to=partial(address, wish),
        canonical=address(Wish(subject=wish.subject)),
        is_new="welcome" in request.query_params and viewer is not None,
        window=catalogue.WINDOW,
    )


def read(query: Mapping[str, str]) -> Wish:
    """What an address asks for. What makes no sense in it is as if it were not there."""
    words = " ".join(query.get("q", "").replace("\0", " ").split())[:LONGEST_SEARCH]
    page = query.get("page", "")
    price = query.get("price")
    return Wish(
        words=words.encode("utf-8", "ignore").decode(),
        subject=next((subject for subject in Subject if subject == query.get("subject")), None),
        price=price if price in ("free", "paid") else None,  # type: ignore[arg-type]  # narrowed
        sort="title" if query.get("sort") == "title" else None,
        page=min(int(page), MOST_PAGES) if page.isdecimal() and len(page) < 6 else 1,
    )


def address(wish: Wish, **changes: object) -> str:
    """Where this wish lives, with changes. Whatever changes but the page, it begins at page 1."""
    asked = {
        "q": wish.words,
        "subject": wish.subject,
        "price": wish.price,
        "sort": wish.sort,
        **changes,
    }
    query = urlencode({name: value for name, value in asked.items() if value and value != 1})
    return f"/?{query}" if query else "/"
