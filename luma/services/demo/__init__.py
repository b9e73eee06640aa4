"""The demo school: what a new database holds, so that the first visit shows a running school.

Videos are public ones of their channels; lengths are roughly so.
"""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Course, Lesson
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.profile import Profile
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import User, UserRole
from luma.services import clock, markdown, passwords, profiles, search
from luma.services.demo import voices
from luma.services.gateways import sandbox_charges
from luma.services.money import access, ledger
from luma.services.slugs import plain
from luma.settings import settings
from luma.values import LessonStatus, Money, Role, Subject

PASSWORD = "a lamp in the window"  # noqa: S105  (printed at every start; production refuses it)
LOADING = 0x4C554D42


@dataclass(frozen=True, slots=True)
class DemoPerson:
    name: str
    email: str
    role: Role


PEOPLE = {
    "jun": DemoPerson("Jun Watanabe", "teacher@luma.example", Role.INSTRUCTOR),
    "mara": DemoPerson("Mara Lindqvist", "mara@luma.example", Role.INSTRUCTOR),
    "tomas": DemoPerson("Tomás Okafor", "tomas@luma.example", Role.INSTRUCTOR),
    "sam": DemoPerson("Sam Rivera", "student@luma.example", Role.STUDENT),
    "lea": DemoPerson("Lea Fontaine", "lea@luma.example", Role.STUDENT),
    "noor": DemoPerson("Noor Haddad", "noor@luma.example", Role.STUDENT),
    "yuki": DemoPerson("Yuki Tanaka", "yuki@luma.example", Role.STUDENT),
    "kofi": DemoPerson("Kofi Mensah", "kofi@luma.example", Role.STUDENT),
    "elena": DemoPerson("Elena Popescu", "elena@luma.example", Role.STUDENT),
    "ben": DemoPerson("Ben Carter", "ben@luma.example", Role.STUDENT),
    "ada": DemoPerson("Ada Kim", "admin@luma.example", Role.ADMIN),
}
ABOUT = {
    "jun": "I build web things, and have taught people to do so for **eleven years**: first at a "
    "night school in Osaka, since then wherever there is a screen.\n\nMy courses are short on "
    "theory and long on doing. Bring something you want to make.",
    "mara": "Mathematician, and fond of drawing. I teach what can be *seen* before what can be "
    "proved.",
    "tomas": "I worked on search and language for ten years and now explain how it works, to "
    "anybody who wonders.",
}
SIGN_INS = ("jun", "sam", "ada")
"""The three that are printed at start."""

# Who learns what, how many lessons are done, and the second at which they left the next one.
LEARNING = (
    ("sam", "the-web-developers-toolbox", 14, 212),
    ("sam", "python-for-the-curious", 2, 245),
    ("lea", "neural-networks-from-the-ground-up", 5, 60),
    ("lea", "linear-algebra-you-can-see", 5, 0),
    ("lea", "python-for-the-curious", 6, 0),
    ("noor", "linear-algebra-you-can-see", 1, 130),
    ("noor", "the-web-developers-toolbox", 0, 45),
    ("noor", "language-models-explained", 1, 20),
    ("yuki", "python-for-the-curious", 4, 0),
    ("yuki", "linear-algebra-you-can-see", 2, 75),
    ("kofi", "python-for-the-curious", 3, 0),
    ("kofi", "the-web-developers-toolbox", 22, 30),
    ("elena", "python-for-the-curious", 6, 0),
    ("elena", "linear-algebra-you-can-see", 5, 0),
    ("elena", "the-web-developers-toolbox", 9, 15),
    ("ben", "python-for-the-curious", 2, 120),
    ("ben", "the-web-developers-toolbox", 3, 0),
    ("ben", "neural-networks-from-the-ground-up", 2, 400),
)


def load(session: Session) -> bool:
    """Fill an empty database; False when it is not empty. Two processes load it once."""
    session.execute(select(func.pg_advisory_xact_lock(LOADING)))
    if session.scalar(select(exists().where(User.id.is_not(None)))):
        return False
    users = _people(session)
    files = sorted(Path(__file__).parent.glob("*.toml"))
    courses = [_course(users, tomllib.loads(file.read_text("utf-8"))) for file in files]
    for number, course in enumerate(courses):
        _place(session, course, number)
    by_slug = {course.slug: course for course in courses}
    for who, slug, done, second in LEARNING:
        _learn(session, users[who], by_slug[slug], done, second)
    voices.review(session, users, by_slug)
    voices.fill_in(session, users, by_slug)
    return True


def sign_ins(session: Session) -> list[DemoPerson]:
    """Who is printed at start, of those that are in this database."""
    listed = [PEOPLE[key] for key in SIGN_INS]
    there = set(session.scalars(select(User.email).where(User.email.in_(p.email for p in listed))))
    return [person for person in listed if person.email in there]


def _people(session: Session) -> dict[str, User]:
    known_hash = passwords.hashed(PASSWORD)
    users = {
        key: User(
            name=person.name,
            email=person.email,
            password_hash=known_hash,
            email_verified_at=clock.now() - timedelta(days=90),
            created_at=clock.now() - timedelta(days=90),
            roles=[UserRole(role=role) for role in {Role.STUDENT, person.role}],
        )
        for key, person in PEOPLE.items()
    }
    session.add_all(users.values())
    session.flush()
    for key, about in ABOUT.items():
        profiles.open_for(session, users[key].id)
        session.execute(update(Profile).where(Profile.user_id == users[key].id).values(about=about))
    return users


def _course(users: dict[str, User], told: dict[str, Any]) -> Course:
    minor, currency = told["price"].split()
    made = clock.now() - timedelta(days=60)
    course = Course(
        slug=plain(told["title"]),
        title=told["title"],
        summary=told["summary"],
        description=told["description"],
        subject=Subject(told["subject"]),
        price=Money(int(minor), currency),
        instructor_id=users[told["teacher"]].id,
        created_at=made,
        updated_at=made,
        chapters=[
            Chapter(title=chapter["title"], position=position, lessons=_lessons(chapter))
            for position, chapter in enumerate(told["chapters"])
        ],
    )
    if not told["draft"]:
        course.publish(made + timedelta(days=7))
    return course


def _lessons(chapter: dict[str, Any]) -> list[Lesson]:
    return [
        Lesson(
            title=told["title"],
            position=position,
            text=told["text"],
            text_html=markdown.render(told["text"]),
            video_id=told.get("video"),
            video_start=told.get("start_minute", 0) * 60,
            duration=told.get("minutes", 0) * 60,
            status=LessonStatus.LIVE if "video" in told else LessonStatus.DRAFT,
            is_preview=told.get("preview", False),
            updated_at=clock.now() - timedelta(days=30),
        )
        for position, told in enumerate(chapter["lessons"])
    ]


def _place(session: Session, course: Course, number: int) -> None:
    if course.published_at is not None:
        course.published_at -= timedelta(days=number)
    session.add(course)
    session.flush()
    search.refresh(session, course)


def _learn(session: Session, student: User, course: Course, done: int, second: int) -> None:
    if course.price.minor == 0:
        access.grant_free(session, student.id, course.id)
    else:
        _buy(session, student, course)
    lessons = [lesson for chapter in course.chapters for lesson in chapter.lessons]
    now = clock.now()
    for place, lesson in zip(count(), lessons[: done + 1], strict=False):
        is_done = place < done
        session.add(
            LessonProgress(
                student_id=student.id,
                lesson_id=lesson.id,
                position=lesson.video_start + (lesson.duration if is_done else second),
                completed_at=now - timedelta(days=done - place) if is_done else None,
                updated_at=now - timedelta(days=done - place),
            )
        )
    here = lessons[min(done, len(lessons) - 1)]
    session.execute(
        update(Enrolment)
        .where(Enrolment.student_id == student.id, Enrolment.course_id == course.id)
        .values(last_lesson_id=here.id, last_seen_at=now - timedelta(hours=2))
    )


def _buy(session: Session, student: User, course: Course) -> None:
    """A sale of the sandbox, as its event would have left it."""
    bought = clock.now() - timedelta(days=20)
    order = Order(
        buyer_id=student.id,
        course_id=course.id,
        price=course.price,
        fee_bps=settings().platform_fee_bps,
        refund_days=settings().refund_days,
        gateway="sandbox",
        created_at=bought,
        updated_at=bought,
    )
    session.add(order)
    session.flush()
    price = course.price
    payment = Payment(
        order_id=order.id,
        session_id=f"cs_sbx_demo_{order.public_id}",
        payment_intent_id=f"pi_sbx_demo_{order.public_id}",
        amount=price,
        paid_at=bought,
        charge_id=f"ch_sbx_demo_{order.public_id}",
        settled_minor=price.minor,
        settled_currency=price.currency,
        fee_minor=sandbox_charges.fee(price.minor, price.currency),
    )
    session.add(payment)
    access.derive(session, access.locked(session, order.id))
    ledger.post(session, payment.id)
