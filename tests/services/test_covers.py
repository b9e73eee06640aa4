import io

import pytest
from PIL import Image as Pillow
from PIL.Image import Exif
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken, TooLarge
from luma.models.course import Image
from luma.services import covers, images, studio
from tests.factories import actor, make_course, make_instructor


def picture(
    kind: str = "PNG", size: tuple[int, int] = (1600, 1200), colour: str = "#336699"
) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_webp_in_sixteen_to_nine(kind: str) -> None:
    cover = covers.drawn(picture(kind))

    drawn = Pillow.open(io.BytesIO(cover.content))
    assert drawn.format == "WEBP"
    assert drawn.size == (cover.width, cover.height) == (1280, 720)


def test_a_small_picture_is_not_blown_up() -> None:
    cover = covers.drawn(picture(size=(640, 480)))

    assert (cover.width, cover.height) == (640, 360)


def test_nothing_but_pixels_comes_along() -> None:
    file = io.BytesIO()
    notes = Exif()
    notes[0x010E] = "where I live"
    Pillow.new("RGB", (640, 360)).save(file, "JPEG", exif=notes, comment=b"a comment")

    cover = covers.drawn(file.getvalue())

    assert b"where I live" not in cover.content
    assert b"a comment" not in cover.content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7",
        picture("GIF"),
        picture("BMP"),
        picture("PNG")[:200],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
)
def test_the_type_is_what_the_bytes_say(content: bytes) -> None:
    with pytest.raises(RuleBroken, match="Choose a picture in PNG, JPEG or WebP"):
        covers.drawn(content)


def test_a_tiny_picture_is_refused_with_what_it_needs() -> None:
    with pytest.raises(RuleBroken, match="too small"):
        covers.drawn(picture(size=(100, 100)))


def test_a_picture_with_too_many_bytes_or_pixels_is_refused() -> None:
    with pytest.raises(TooLarge, match="8 MB"):
        covers.drawn(b"x" * (covers.MOST_BYTES + 1))
    with pytest.raises(TooLarge, match="too many pixels"):
        covers.drawn(picture(size=(8000, 6000)))


def test_a_new_cover_replaces_the_one_before(session: Session) -> None:
    course = make_course(session)
    me = actor(course.instructor)
    covers.put(session, me, course.public_id, covers.drawn(picture()))

    new = covers.put(session, me, course.public_id, covers.drawn(picture(colour="#993333")))

    assert studio.sheet(session, me, course.public_id).cover == new
    assert images.picture(session, new).content_type == "image/webp"
    assert session.scalar(select(func.count()).select_from(Image)) == 1


def test_without_a_cover_the_generated_one_is_back(session: Session) -> None:
    course = make_course(session)
    me = actor(course.instructor)
    covers.put(session, me, course.public_id, covers.drawn(picture()))

    covers.remove(session, me, course.public_id)

    assert studio.sheet(session, me, course.public_id).cover is None
    assert session.scalar(select(func.count()).select_from(Image)) == 0


def test_another_instructors_course_gets_no_cover_of_mine(session: Session) -> None:
    course = make_course(session)
    stranger = actor(make_instructor(session, "Mallory"))

    with pytest.raises(NotFound):
        covers.put(session, stranger, course.public_id, covers.drawn(picture()))
    with pytest.raises(NotFound):
        covers.remove(session, stranger, course.public_id)
