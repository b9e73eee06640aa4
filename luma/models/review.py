"""What students say about a course in public, what is said against it, and who found it helpful."""

from datetime import datetime
from functools import partial

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base, new_public_id, one_of
from luma.values import ReportReason

LISTED = "hidden_at IS NULL AND text <> ''"


class Review(Base):
    """One per student and course. Without a student its writer has left the school.

    Hidden ones are seen by their writer alone and count nowhere.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("student_id", "course_id"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars_in_range"),
        CheckConstraint("helpful >= 0", name="helpful_counts"),
        CheckConstraint("(reply IS NULL) = (replied_at IS NULL)", name="reply_stamped"),
        CheckConstraint("(hidden_at IS NULL) = (hidden_reason IS NULL)", name="hidden_with_reason"),
        Index("ix_reviews_newest", "course_id", "created_at", "id", postgresql_where=LISTED),
        Index(
            "ix_reviews_helpful",
            "course_id",
            "helpful",
            "created_at",
            "id",
            postgresql_where=LISTED,
        ),
        Index("ix_reviews_course_id", "course_id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "rev")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(default="")
    helpful: Mapped[int] = mapped_column(default=0)
    """How many people found it helpful."""
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def rewrite(self, stars: int, text: str, now: datetime) -> None:
        """Say something else. What an admin has hidden stays hidden."""
        if (stars, text) != (self.stars, self.text):
            self.stars, self.text, self.updated_at = stars, text, now

    def answer(self, text: str, now: datetime) -> None:
        """The instructor's one reply; empty takes it back."""
        self.reply = text or None
        self.replied_at = now if text else None

    def hide(self, reason: str, now: datetime) -> None:
        self.hidden_at = now
        self.hidden_reason = reason

    def show(self) -> None:
        self.hidden_at = None
        self.hidden_reason = None


class ReviewReport(Base):
    """Somebody says that a review should not stand there; once each. Settled by an admin."""

    __tablename__ = "review_reports"
    __table_args__ = (
        UniqueConstraint("review_id", "reporter_id"),
        one_of("reason", ReportReason),
        Index("ix_review_reports_open", "review_id", postgresql_where="settled_at IS NULL"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    reporter_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    reason: Mapped[ReportReason]
    note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ReviewVote(Base):
    """Somebody found a review helpful."""

    __tablename__ = "review_votes"
    __table_args__ = (UniqueConstraint("review_id", "voter_id"),)

    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    voter_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
