"""Things to test with, made as the services would have made them."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from sqlalchemy.orm import Session

from luma.models.course import Chapter, Course, Lesson
from luma.models.progress import Enrolment
from luma.models.user import User, UserRole
from luma.services import accounts, clock, passwords, profiles
from luma.services.accounts import Visit
from luma.services.policies import Actor
from luma.values import CourseStatus, EnrolmentSource, LessonStatus, Money, Role, Subject

PASSWORD = "a lamp in the window"
_hash: list[str] = []
_numbers = count(1)


def password_hash() -> str:
    """Hashed once for the whole run: it takes 20 ms."""
    if not _hash:
        _hash.append(passwords.hashed(PASSWORD))
    return _hash[0]


def make_user(
    session: Session,
    name: str = "Anna Berg",
    *,
    email: str | None = None,
    roles: tuple[Role, ...] = (),
) -> User:
    user = User(
        name=name,
        email=email or f"person{next(_numbers)}@example.org",
        password_hash=password_hash(),
        email_verified_at=clock.now(),
        created_at=clock.now(),
        roles=[UserRole(role=role) for role in dict.fromkeys((Role.STUDENT, *roles))],
    )
    session.add(user)
    session.flush()
    if Role.INSTRUCTOR in roles:
        profiles.open_for(session, user.id)
    return user


def make_instructor(session: Session, name: str = "Ines Weber") -> User:
    return make_user(session, name, roles=(Role.INSTRUCTOR,))


def actor(user: User) -> Actor:
    """`user` as someone who is signed in."""
    return Actor(user.id, user.name, user.email, frozenset(entry.role for entry in user.roles))


def fresh(user: User) -> Actor:
    """`user` as someone who has just shown who they are."""
    return replace(actor(user), authenticated_at=clock.now())


def make_course(
    session: Session,
    title: str = "Bread for beginners",
    *,
    instructor: User | None = None,
    lessons: tuple[str, ...] = ("Flour", "Water"),
    price: Money | None = None,
    published: bool = False,
) -> Course:
    """One chapter, "Start", with a live lesson for each title."""
    number, now = next(_numbers), clock.now()
    course = Course(
        slug=f"course-{number}",
        title=title,
        summary="What you need to know, and nothing else.",
        description="A course about it.",
        subject=Subject.CRAFT,
        price=price or Money(4900, "usd"),
        instructor=instructor or make_instructor(session),
        created_at=now,
        updated_at=now,
        chapters=[Chapter(title="Start", position=0, lessons=_lessons(lessons))],
    )
    if published:
        course.publish(now - timedelta(days=1))
    session.add(course)
    session.flush()
    return course


def _lessons(titles: tuple[str, ...]) -> list[Lesson]:
    return [
        Lesson(
            title=title,
            position=position,
            status=LessonStatus.LIVE,
            video_id="M7lc1UVf-VE",
            duration=600,
            updated_at=clock.now(),
        )
        for position, title in enumerate(titles)
    ]


def make_published(session: Session, title: str = "Bread for beginners") -> Course:
    course = make_course(session, title, published=True)
    assert course.status is CourseStatus.PUBLISHED
    return course


def signed_in(session: Session, user_id: int) -> str:
    """The key of a browser in which they are signed in."""
    visit = Visit("127.0.0.1", "test")
    return accounts.key_of(accounts.open_session(session, user_id, visit))


def enrol(session: Session, student: User, course: Course) -> Enrolment:
    enrolment = Enrolment(
        student_id=student.id,
        course_id=course.id,
        source=EnrolmentSource.PURCHASE,
        created_at=clock.now(),
    )
    session.add(enrolment)
    session.flush()
    return enrolment
