"""An instructor's public page: who they are, and what they have on sale."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Course, Image
from luma.models.profile import Profile
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import catalogue, markdown, texts
from luma.services.catalogue import Card, Entry
from luma.services.wishes import ON_SALE

NOBODY = "There is no such instructor. The page may have closed."


@dataclass(frozen=True, slots=True)
class InstructorPage:
    slug: str
    name: str
    about: str
    """Markdown."""
    picture: str | None
    students: int
    courses: tuple[Card, ...]

    @property
    def promise(self) -> str:
        """One or two sentences for lists of links; 160 characters at most."""
        return markdown.plain(self.about, 160) or f"Courses by {self.name} on LUMA."


def page(session: Session, slug: str, viewer_id: int | None = None) -> InstructorPage:
    """Raises NotFound for everybody who has nothing on sale: others' names are not for show.

    Instructors see their own page before that, so that they can get it ready.
    """
    row = session.execute(_PERSON.where(Profile.slug == texts.key(slug))).one_or_none()
    if row is None:
        raise NotFound(NOBODY)
    courses = catalogue.taught_by(session, row.id, viewer_id)
    if not courses and row.id != viewer_id:
        raise NotFound(NOBODY)
    return InstructorPage(row.slug, row.name, row.about, row.picture, row.students, courses)


def listed(session: Session) -> list[Entry]:
    """Every instructor that search engines may know."""
    rows = session.execute(
        select(Profile.slug, func.max(Course.updated_at))
        .join(Course, Course.instructor_id == Profile.user_id)
        .join(User, User.id == Profile.user_id)
        .where(ON_SALE, User.disabled_at.is_(None))
        .group_by(Profile.slug)
        .order_by(Profile.slug)
        .limit(50_000)
    )
    return [Entry(slug, updated_at) for slug, updated_at in rows]


_STUDENTS = (
    select(func.count(Enrolment.student_id.distinct()))
    .join(Course, Course.id == Enrolment.course_id)
    .where(Course.instructor_id == User.id, Enrolment.active)
)
_PERSON: Select[int, str, str, str, str | None, int] = (
    select(
        User.id,
        User.name,
        Profile.slug,
        Profile.about,
        Image.public_id.label("picture"),
        _STUDENTS.correlate(User).scalar_subquery().label("students"),
    )
    .join(User, User.id == Profile.user_id)
    .outerjoin(Image, Image.id == Profile.picture_id)
    .where(User.disabled_at.is_(None))
)
