"""The form of a course, and what its students answered: a sheet for each lesson and for the end."""

from datetime import datetime
from functools import partial

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from luma.models.base import Base, new_public_id, one_of
from luma.values import QuestionKind


class FeedbackQuestion(Base):
    """One question. `position` counts from 0 without gaps; a retired question has none.

    Once somebody has answered it, its words never change: it retires, and a new one takes its
    place. So every answer keeps the question it was given to.
    """

    __tablename__ = "feedback_questions"
    __table_args__ = (
        UniqueConstraint("course_id", "position", deferrable=True, initially="DEFERRED"),
        one_of("kind", QuestionKind),
        CheckConstraint("length(btrim(prompt)) > 0", name="prompt_not_blank"),
        CheckConstraint("position >= 0", name="position_counts"),
        CheckConstraint(
            "(kind = 'choice') = (jsonb_array_length(options) > 1)", name="options_fit"
        ),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "qst")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    position: Mapped[int | None]
    kind: Mapped[QuestionKind]
    prompt: Mapped[str] = mapped_column(String(200))
    options: Mapped[list[str]] = mapped_column(JSONB, default=list)
    is_required: Mapped[bool] = mapped_column(default=False)

    def retire(self) -> None:
        """Ask it no more. What was answered stays."""
        self.position = None


class FeedbackSheet(Base):
    """What one student says about one lesson, or without a lesson about the whole course.

    Without a student its writer has left the school. Who is anonymous is so towards the
    instructor; the student is known here, so that they can change what they said.
    """

    __tablename__ = "feedback_sheets"
    __table_args__ = (
        Index(
            "uq_feedback_sheets_lesson",
            "student_id",
            "lesson_id",
            unique=True,
            postgresql_where="lesson_id IS NOT NULL",
        ),
        Index(
            "uq_feedback_sheets_course",
            "student_id",
            "course_id",
            unique=True,
            postgresql_where="lesson_id IS NULL",
        ),
        Index("ix_feedback_sheets_course_id", "course_id"),
        Index("ix_feedback_sheets_lesson_id", "lesson_id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "fbk")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    answers: Mapped[list["FeedbackAnswer"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class FeedbackAnswer(Base):
    """`number` for a scale, from 1 to 5; `text` for the rest: what was chosen or written."""

    __tablename__ = "feedback_answers"
    __table_args__ = (
        UniqueConstraint("sheet_id", "question_id"),
        CheckConstraint("number BETWEEN 1 AND 5", name="number_in_range"),
        CheckConstraint("(number IS NULL) = (text <> '')", name="says_one_thing"),
        Index("ix_feedback_answers_question_id", "question_id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "ans")
    )
    sheet_id: Mapped[int] = mapped_column(ForeignKey("feedback_sheets.id", ondelete="CASCADE"))
    question_id: Mapped[int] = mapped_column(ForeignKey("feedback_questions.id"))
    number: Mapped[int | None]
    text: Mapped[str] = mapped_column(default="")
