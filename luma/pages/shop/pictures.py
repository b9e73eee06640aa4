"""What other sites show beside a link to a course without a picture: `/covers/{letter}.png`."""

from functools import lru_cache
from io import BytesIO
from string import ascii_uppercase, digits

from fastapi import APIRouter
from PIL import Image, ImageDraw, ImageFont
from starlette.responses import Response

from luma.errors import NotFound
from luma.pages import theme
from luma.pages.assets import FOREVER
from luma.services import search

WIDTH, HEIGHT = 1200, 630
PLAIN = "-"
LETTERS = frozenset(ascii_uppercase + digits)
"""What the font that comes with Pillow can draw; other scripts get the light alone."""

router = APIRouter(include_in_schema=False)


def address(title: str) -> str:
    """The title's first letter without its accent."""
    letter = search.normalise(title)[:1].upper()
    return f"/covers/{letter if letter in LETTERS else PLAIN}.png"


@router.api_route("/covers/{letter}.png", methods=["GET", "HEAD"])
def cover(letter: str) -> Response:
    if letter != PLAIN and letter not in LETTERS:
        raise NotFound("There is no such picture.")
    return Response(_drawn(letter), media_type="image/png", headers={"Cache-Control": FOREVER})


@lru_cache(maxsize=64)
def _drawn(letter: str) -> bytes:
    """The light theme's paper, its one light, and the letter in ink."""
    paper, ink, light = (theme.tokens()[name][0] for name in ("paper", "ink", "light"))
    picture = Image.new("RGB", (WIDTH, HEIGHT), paper)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((860, 90, 1070, 300), fill=light)
    if letter != PLAIN:
        middle = (WIDTH // 2, HEIGHT // 2)
        pen.text(middle, letter, fill=ink, font=ImageFont.load_default(400), anchor="mm")
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
