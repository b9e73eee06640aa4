"""What the AI was asked, what it cost, and what came of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, one_of


class CallPurpose(StrEnum):
    SUMMARY = "summary"
    ANALYSIS = "analysis"


class CallStatus(StrEnum):
    OPEN = "open"
    """Asked, or about to be: its cost is reserved."""
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    """The process ended meanwhile. What was reserved counts as spent, because it may be."""


class AiCall(Base):
    """Costs are in millionths of a US dollar."""

    __tablename__ = "ai_calls"
    __table_args__ = (
        one_of("purpose", CallPurpose),
        one_of("status", CallStatus),
        CheckConstraint("reserved_micros >= 0 AND cost_micros >= 0", name="costs_count"),
        CheckConstraint("prompt_tokens >= 0 AND completion_tokens >= 0", name="tokens_count"),
        CheckConstraint("(status = 'open') = (finished_at IS NULL)", name="finished_stamped"),
        Index("ix_ai_calls_open", "asked_at", postgresql_where="status = 'open'"),
        Index("ix_ai_calls_instructor_id", "instructor_id", "asked_at"),
    )

    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id", ondelete="SET NULL"))
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))
    purpose: Mapped[CallPurpose]
    month: Mapped[str] = mapped_column(String(7))
    """Whose cap it counts against, such as 2026-11."""
    model: Mapped[str] = mapped_column(String(100), default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    reserved_micros: Mapped[int]
    cost_micros: Mapped[int] = mapped_column(default=0)
    status: Mapped[CallStatus] = mapped_column(default=CallStatus.OPEN)
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    def finish(self, status: CallStatus, cost_micros: int, now: datetime) -> None:
        """Once: what has been settled stays as it is."""
        if self.status is not CallStatus.OPEN:
            raise RuleBroken("This call has been settled already.")
        self.status = status
        self.cost_micros = cost_micros
        self.finished_at = now


class AiMonth(Base):
    """What one instructor has spent and reserved in a month, so that a cap is one statement."""

    __tablename__ = "ai_months"
    __table_args__ = (
        UniqueConstraint("instructor_id", "month"),
        CheckConstraint("spent_micros >= 0", name="spent_counts"),
    )

    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    month: Mapped[str] = mapped_column(String(7))
    spent_micros: Mapped[int] = mapped_column(default=0)
