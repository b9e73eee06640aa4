"""Course covers: whatever picture was sent, drawn anew by us, so that nothing else comes along."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from luma.errors import RuleBroken, TooLarge
from luma.models.course import Course, Image
from luma.services import clock
from luma.services.authors import own_course
from luma.services.policies import Actor

MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
WIDTH, HEIGHT = 1280, 720
LEAST_WIDTH = 320
FORMATS = ("PNG", "JPEG", "WEBP")
QUALITIES = (82, 60, 30)
KEPT_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture made by `drawn`: WebP; of a course 16:9, at most 1280 x 720."""

    content: bytes
    width: int
    height: int


Fit = Callable[[Pillow.Image], Pillow.Image]


def drawn(content: bytes) -> Cover:
    """Tens of milliseconds of CPU: call it off the loop. The type is what the bytes say it is.

    Raises TooLarge, or RuleBroken for anything but a PNG, JPEG or WebP picture.
    """
    return redrawn(content, _fitted)


def redrawn(content: bytes, fit: Fit) -> Cover:
    """The same in another shape. `fit` gets the picture as it was sent."""
    if len(content) > MOST_BYTES:
        raise TooLarge(f"A picture has at most {MOST_BYTES // 1_000_000} MB.")
    try:
        with Pillow.open(io.BytesIO(content), formats=FORMATS) as sent:
            if sent.width * sent.height > MOST_PIXELS:
                raise TooLarge("This picture has too many pixels. Make it smaller first.")
            picture = fit(sent)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise RuleBroken("Choose a picture in PNG, JPEG or WebP.") from error
    return Cover(_packed(picture), picture.width, picture.height)


def put(session: Session, actor: Actor, course: str, cover: Cover) -> str:
    """Give the course this cover; the one before is gone. Returns the picture's lasting id."""
    own = own_course(session, actor, course, lock=True)
    image = kept(session, actor, cover)
    _replace(session, own, image.id)
    return image.public_id


def kept(session: Session, actor: Actor, picture: Cover) -> Image:
    image = Image(
        owner_id=actor.id,
        content_type="image/webp",
        width=picture.width,
        height=picture.height,
        content=picture.content,
        created_at=clock.now(),
    )
    session.add(image)
    session.flush()
    return image


def remove(session: Session, actor: Actor, course: str) -> None:
    """Back to the generated cover."""
    _replace(session, own_course(session, actor, course, lock=True), None)


def _replace(session: Session, course: Course, image_id: int | None) -> None:
    before, course.cover_id = course.cover_id, image_id
    course.updated_at = clock.now()
    session.flush()
    session.execute(delete(Image).where(Image.id == before))


def _fitted(sent: Pillow.Image) -> Pillow.Image:
    """Upright, cut to 16:9 around its middle, on paper where it was see-through."""
    sent.draft("RGB", (WIDTH, HEIGHT))
    upright = upright_on_paper(sent)
    width = min(WIDTH, upright.width, upright.height * WIDTH // HEIGHT)
    if width < LEAST_WIDTH:
        raise RuleBroken(f"This picture is too small. It needs {LEAST_WIDTH} x 180 pixels or more.")
    return ImageOps.fit(upright, (width, width * HEIGHT // WIDTH))


def upright_on_paper(sent: Pillow.Image) -> Pillow.Image:
    upright = ImageOps.exif_transpose(sent).convert("RGBA")
    paper = Pillow.new("RGBA", upright.size, "#ffffff")
    return Pillow.alpha_composite(paper, upright).convert("RGB")


def _packed(picture: Pillow.Image) -> bytes:
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=4)
        if file.tell() <= KEPT_BYTES:
            return file.getvalue()
    raise TooLarge("This picture cannot be made small enough. Choose a calmer one.")
