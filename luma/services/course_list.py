"""The studio's first page: my courses with their state, students, revenue and last edit."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, exists, func, select
from sqlalchemy.orm import Session, defer

from luma.models.course import Chapter, Course, Image, Lesson
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment
from luma.models.user import rehearsal_buyers
from luma.services import policies
from luma.services.money import drift
from luma.services.policies import Actor
from luma.values import CourseStatus, Money


@dataclass(frozen=True, slots=True)
class CourseLine:
    id: str
    slug: str
    title: str
    status: CourseStatus
    price: Money
    cover: str | None
    lessons: int
    students: int
    revenue: tuple[Money, ...]
    """What buyers paid, one amount per currency, largest first. Empty when nothing was paid."""
    updated_at: datetime
    hidden_reason: str | None
    """Why an admin took it off sale; None unless one did."""
    paused: str | None
    """What was done to it at the payment gateway, so that nobody can buy it; None if nothing."""


def mine(session: Session, actor: Actor) -> tuple[CourseLine, ...]:
    """Last edited first. Three queries, however many courses there are."""
    policies.ensure_teaches(actor)
    revenue = _revenue(session, actor.id)
    paused = {one.course: one.why for one in drift.paused(session, actor)}
    rows = session.execute(
        select(Course, Image.public_id, _lesson_count(), _student_count())
        .outerjoin(Image, Image.id == Course.cover_id)
        .where(Course.instructor_id == actor.id, Course.deleted_at.is_(None))
        .order_by(Course.updated_at.desc(), Course.id.desc())
        .options(defer(Course.description))
    )
    return tuple(
        CourseLine(
            id=course.public_id,
            slug=course.slug,
            title=course.title,
            status=course.status,
            price=course.price,
            cover=cover,
            lessons=lessons,
            students=students,
            revenue=revenue.get(course.id, ()),
            updated_at=course.updated_at,
            hidden_reason=course.hidden_reason,
            paused=paused.get(course.public_id),
        )
        for course, cover, lessons, students in rows
    )


def has_students(session: Session, course: Course) -> bool:
    return bool(
        session.scalar(select(exists().where(Enrolment.course_id == course.id, Enrolment.active)))
    )


def picture_id(session: Session, image_id: int | None) -> str | None:
    """The lasting id of a picture, without loading the picture."""
    return session.scalar(select(Image.public_id).where(Image.id == image_id))


def _revenue(session: Session, instructor_id: int) -> dict[int, tuple[Money, ...]]:
    rows = session.execute(
        select(Order.course_id, Payment.amount_currency, func.sum(Payment.amount_minor))
        .join(Payment, Payment.order_id == Order.id)
        .join(Course, Course.id == Order.course_id)
        .where(
            Course.instructor_id == instructor_id,
            Payment.mismatch.is_(None),
            Order.buyer_id.not_in(rehearsal_buyers()),
        )
        .group_by(Order.course_id, Payment.amount_currency)
        .order_by(func.sum(Payment.amount_minor).desc())
    )
    found: dict[int, list[Money]] = defaultdict(list)
    for course_id, currency, minor in rows:
        found[course_id].append(Money(int(minor), currency))
    return {course_id: tuple(amounts) for course_id, amounts in found.items()}


def _lesson_count() -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(Lesson)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(
            Chapter.course_id == Course.id,
            Chapter.deleted_at.is_(None),
            Lesson.deleted_at.is_(None),
        )
        .correlate(Course)
        .scalar_subquery()
    )


def _student_count() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(
            Enrolment.course_id == Course.id,
            Enrolment.active,
            Enrolment.student_id.not_in(rehearsal_buyers()),
        )
        .correlate(Course)
        .scalar_subquery()
    )
