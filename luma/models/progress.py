"""Who may learn what, and how far they are."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base, one_of
from luma.values import EnrolmentSource


class Enrolment(Base):
    """Derived from orders and grants: services/money/access.py is its only writer of `active`."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("student_id", "course_id"),
        one_of("source", EnrolmentSource),
        Index("ix_enrolments_course_id", "course_id"),
    )

    student_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    active: Mapped[bool] = mapped_column(default=True)
    source: Mapped[EnrolmentSource]
    created_at: Mapped[datetime]
    last_lesson_id: Mapped[int | None] = mapped_column(
        ForeignKey("lessons.id", ondelete="SET NULL")
    )
    last_seen_at: Mapped[datetime | None]
    review_refused: Mapped[int] = mapped_column(default=0, server_default="0")
    """Percent of the course at which the student last said "not now" to writing a review."""


class Grant(Base):
    """Access that no order gave: free, a gift, or by hand. An order's own grant is its status.

    A grant ends only by itself: what one order loses, another or a grant still gives.
    """

    __tablename__ = "grants"
    __table_args__ = (
        one_of("source", EnrolmentSource),
        CheckConstraint("source <> 'purchase'", name="not_bought"),
        CheckConstraint("(source = 'manual') <= (reason IS NOT NULL)", name="manual_has_reason"),
        Index(
            "uq_grants_one_live",
            "student_id",
            "course_id",
            "source",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index("ix_grants_course_id", "course_id"),
    )

    student_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    source: Mapped[EnrolmentSource]
    reason: Mapped[str | None] = mapped_column(String(200))
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LessonProgress(Base):
    """One student in one lesson. `watched` holds the seconds really seen, as ranges."""

    __tablename__ = "lesson_progress"
    __table_args__ = (
        UniqueConstraint("student_id", "lesson_id"),
        CheckConstraint("position BETWEEN 0 AND 360000", name="position_in_range"),
        Index("ix_lesson_progress_lesson_id", "lesson_id"),
    )

    student_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=0)
    """Second inside the video at which the student left."""
    watched: Mapped[list[Range[int]]] = mapped_column(INT4MULTIRANGE, server_default="{}")
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
