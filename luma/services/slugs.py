"""The last part of an address, made of a course's title or of a person's name."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.profile import Profile
from luma.services import search

LONGEST = 60
NAMING = 0x4C554D4E


def plain(title: str, without_letters: str = "course") -> str:
    """ "Crème brûlée, at last" is "creme-brulee-at-last"; a title without letters is "course"."""
    folded = search.normalise(title.replace("'", "").replace("’", ""))
    ascii_only = folded.encode("ascii", "ignore").decode()
    words = "-".join(ascii_only.split())
    if len(words) > LONGEST:
        words = words[: LONGEST + 1].rpartition("-")[0] or words[:LONGEST]
    return words or without_letters


def unused(session: Session, title: str, course_id: int | None = None) -> str:
    """The title's slug, with a number behind it where another course has it already.

    Whoever names a course takes their turn until the transaction ends: two of one name at once
    would find the same slug free.
    """
    session.execute(select(func.pg_advisory_xact_lock(NAMING)))
    wish = plain(title)
    query = select(Course.slug).where(Course.slug.startswith(wish, autoescape=True))
    return _numbered(wish, set(session.scalars(query.where(Course.id != (course_id or 0)))))


def unused_by_people(session: Session, name: str) -> str:
    """The name's slug, with a number behind it where somebody else has it already."""
    session.execute(select(func.pg_advisory_xact_lock(NAMING)))
    wish = plain(name, "instructor")
    query = select(Profile.slug).where(Profile.slug.startswith(wish, autoescape=True))
    return _numbered(wish, set(session.scalars(query)))


def _numbered(wish: str, taken: set[str]) -> str:
    number, slug = 1, wish
    while slug in taken:
        number += 1
        slug = f"{wish}-{number}"
    return slug
