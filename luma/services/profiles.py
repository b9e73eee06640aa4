"""What people show of themselves: a name, a picture, a few words; for instructors a page."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.course import Course, Image
from luma.models.profile import Profile
from luma.models.user import User
from luma.services import search, slugs, texts
from luma.services.policies import Actor

LONGEST_ABOUT = 5_000


@dataclass(frozen=True, slots=True)
class MyProfile:
    name: str
    about: str
    picture: str | None
    slug: str | None
    """Of the instructor's page; None for whoever has none."""


def mine(session: Session, actor: Actor) -> MyProfile:
    row = session.execute(
        select(Profile.about, Profile.slug, Image.public_id)
        .outerjoin(Image, Image.id == Profile.picture_id)
        .where(Profile.user_id == actor.id)
    ).one_or_none()
    if row is None:
        return MyProfile(actor.name, "", None, None)
    return MyProfile(actor.name, row.about, row.public_id, row.slug if actor.teaches else None)


def save(session: Session, actor: Actor, name: object, about: object) -> None:
    """Courses are found by their instructor's name, so a new one is told to them."""
    new_name = texts.line(name, "Name", 80)
    words = texts.body(about, "About me", LONGEST_ABOUT)
    open_for(session, actor.id)
    session.execute(update(Profile).where(Profile.user_id == actor.id).values(about=words))
    if new_name != actor.name:
        session.execute(update(User).where(User.id == actor.id).values(name=new_name))
        refresh_courses(session, actor.id)


def refresh_courses(session: Session, user_id: int) -> None:
    """What the search knows of this instructor's courses, after their name has changed."""
    for course in session.scalars(select(Course).where(Course.instructor_id == user_id)):
        search.refresh(session, course)


def open_for(session: Session, user_id: int) -> None:
    """See to it that this user has a profile, with an address nobody else has."""
    if session.scalar(select(Profile.id).where(Profile.user_id == user_id)) is not None:
        return
    name = session.scalar(select(User.name).where(User.id == user_id)) or ""
    # Somebody of the same name may be writing at this moment: then the number grows by one.
    while session.scalar(select(Profile.id).where(Profile.user_id == user_id)) is None:
        slug = slugs.unused_by_people(session, name)
        new = insert(Profile).values(user_id=user_id, slug=slug, about="")
        session.execute(new.on_conflict_do_nothing())
