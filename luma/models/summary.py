"""Summaries of lessons: a draft that its instructor sees, and the text that was approved."""

from datetime import datetime
from enum import StrEnum
from functools import partial

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, new_public_id, one_of


class SummarySource(StrEnum):
    AI = "ai"
    EXTRACT = "extract"
    """The most central sentences of the lesson itself."""
    PERSON = "person"


class LessonSummary(Base):
    """`draft` is null when nothing waits for approval. Each text knows the lesson it was made of.

    `revision` grows with every change, so that two open windows notice each other.
    """

    __tablename__ = "lesson_summaries"
    __table_args__ = (
        one_of("source", SummarySource),
        CheckConstraint("length(draft) <= 3000 AND length(text) <= 3000", name="texts_short"),
        CheckConstraint("(text = '') = (approved_at IS NULL)", name="approved_stamped"),
    )

    lesson_id: Mapped[int] = mapped_column(
        ForeignKey("lessons.id", ondelete="CASCADE"), unique=True
    )
    draft: Mapped[str | None]
    draft_of: Mapped[str] = mapped_column(String(32), default="")
    """The lesson's content_hash when the draft was made."""
    source: Mapped[SummarySource] = mapped_column(default=SummarySource.PERSON)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("ai_calls.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(default="")
    text_of: Mapped[str] = mapped_column(String(32), default="")
    approved_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]

    def propose(self, text: str, content: str, source: SummarySource, call_id: int | None) -> None:
        """A new draft, made of the lesson whose content_hash is `content`."""
        self.draft, self.draft_of = text, content
        self.source, self.call_id = source, call_id

    def edit(self, text: str) -> None:
        """By hand: it stays of the lesson it was made of."""
        if self.draft is None:
            self.draft_of, self.source, self.call_id = self.text_of, SummarySource.PERSON, None
        self.draft = text

    def discard(self) -> None:
        self.draft = None

    def approve(self, text: str, content: str, now: datetime) -> None:
        """What is shown to students from now on: read by a person, with the lesson as it is."""
        if not text:
            raise RuleBroken("There is nothing to approve yet. Write a summary first.")
        self.text, self.text_of, self.approved_at = text, content, now
        self.draft = None

    def withdraw(self) -> None:
        """Students see none any more. The text becomes the draft, so that nothing is lost."""
        if self.draft is None:
            self.draft, self.draft_of = self.text, self.text_of
        self.text, self.text_of, self.approved_at = "", "", None


class RunStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    """It could not go on; `problem` says why."""


class SummaryRun(Base):
    """All lessons of a course, summarised one after the other by the worker."""

    __tablename__ = "summary_runs"
    __table_args__ = (
        one_of("status", RunStatus),
        one_of("source", SummarySource),
        CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="finished_stamped"),
        Index(
            "uq_summary_runs_running",
            "course_id",
            unique=True,
            postgresql_where="status = 'running'",
        ),
        Index("ix_summary_runs_course_id", "course_id", "id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "run")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source: Mapped[SummarySource]
    status: Mapped[RunStatus] = mapped_column(default=RunStatus.RUNNING)
    problem: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    def finish(self, now: datetime) -> None:
        self._end(RunStatus.DONE, now)

    def cancel(self, now: datetime) -> None:
        self._end(RunStatus.CANCELLED, now)

    def stop(self, problem: str, now: datetime) -> None:
        self.problem = problem[:300]
        self._end(RunStatus.STOPPED, now)

    def _end(self, status: RunStatus, now: datetime) -> None:
        """An end stays the end that it was."""
        if self.status is RunStatus.RUNNING:
            self.status, self.finished_at = status, now


class TaskStatus(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class SummaryTask(Base):
    """One lesson of a run. What was being worked on when a worker died is taken up again."""

    __tablename__ = "summary_tasks"
    __table_args__ = (UniqueConstraint("run_id", "lesson_id"), one_of("status", TaskStatus))

    run_id: Mapped[int] = mapped_column(ForeignKey("summary_runs.id", ondelete="CASCADE"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    status: Mapped[TaskStatus] = mapped_column(default=TaskStatus.WAITING)
    problem: Mapped[str] = mapped_column(String(300), default="")
    call_id: Mapped[int | None] = mapped_column(ForeignKey("ai_calls.id", ondelete="SET NULL"))

    def begin(self, call_id: int | None) -> None:
        self.status, self.call_id = TaskStatus.WORKING, call_id

    def finish(self, problem: str = "") -> None:
        self.status = TaskStatus.FAILED if problem else TaskStatus.DONE
        self.problem = problem[:300]
