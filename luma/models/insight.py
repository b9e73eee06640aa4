"""What an AI found in the students' words, and what the instructor makes of it."""

from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, new_public_id, one_of


class Analysis(Base):
    """Themes and suggestions, each with the public ids of the answers that bear it out."""

    __tablename__ = "analyses"
    __table_args__ = (
        CheckConstraint("texts_read <= texts_there", name="read_of_those_there"),
        Index("ix_analyses_course_id", "course_id", "id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "anl")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("ai_calls.id", ondelete="SET NULL"))
    themes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    suggestions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    dropped: Mapped[int] = mapped_column(default=0)
    """Claims of the AI that no answer bears out; nobody saw them."""
    texts_read: Mapped[int]
    texts_there: Mapped[int]
    created_at: Mapped[datetime]


class TodoStatus(StrEnum):
    OPEN = "open"
    DONE = "done"


class Todo(Base):
    """Something to change in a lesson, or in the course, because students said so."""

    __tablename__ = "todos"
    __table_args__ = (
        one_of("status", TodoStatus),
        CheckConstraint("(status = 'done') = (done_at IS NOT NULL)", name="done_stamped"),
        CheckConstraint("told_at IS NULL OR status = 'done'", name="told_when_done"),
        CheckConstraint("length(btrim(text)) > 0", name="text_not_blank"),
        Index("ix_todos_course_id", "course_id"),
        Index("ix_todos_lesson_id", "lesson_id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "tod")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))
    origin: Mapped[str] = mapped_column(String(40), unique=True)
    """Which suggestion of which analysis, so that a second press makes no second one."""
    text: Mapped[str] = mapped_column(String(300))
    answers: Mapped[list[str]] = mapped_column(JSONB)
    status: Mapped[TodoStatus] = mapped_column(default=TodoStatus.OPEN)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]

    def finish(self, now: datetime) -> None:
        if self.status is TodoStatus.OPEN:
            self.status, self.done_at = TodoStatus.DONE, now

    def reopen(self) -> None:
        """Not after students were told that it is done."""
        if self.told_at is not None:
            raise RuleBroken("Your students were told that this is done.")
        self.status, self.done_at = TodoStatus.OPEN, None

    def tell(self, now: datetime) -> None:
        """Once."""
        if self.status is not TodoStatus.DONE:
            raise RuleBroken("Mark this to-do as done before you tell your students.")
        if self.told_at is not None:
            raise RuleBroken("Your students were told already.")
        self.told_at = now
