"""What a plain page shows when it cannot show what was asked for."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

from luma.pages.shop.render import render

TITLES = {
    403: "This is not for you",
    404: "Nothing here",
    405: "Nothing here",
    409: "That does not work",
    413: "That is too large",
    429: "A little slower, please",
    503: "Back in a moment",
}
FAULT = "Something went wrong on our side"


def error_page(request: Request, status: int, sentence: str) -> HTMLResponse:
    """LUMA's look with the right status. `sentence` is for people: nothing of the exception."""
    title = TITLES.get(status, FAULT if status >= 500 else "That does not work")
    return render(request, "error.html.j2", status=status, title=title, sentence=sentence)
