"""Courses with their chapters and lessons, and the rules each can check by itself."""

from datetime import datetime
from functools import partial

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from luma.errors import RuleBroken
from luma.models.base import Base, new_public_id, one_of
from luma.models.user import User
from luma.values import CourseStatus, LessonStatus, Money, Subject

PLACED = "(deleted_at IS NULL) = (position IS NOT NULL)"


class Image(Base):
    """A picture, re-encoded by us. It lives in the database, so one backup holds everything."""

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("octet_length(content) BETWEEN 1 AND 2000000", name="size"),
        CheckConstraint("width > 0 AND height > 0", name="has_pixels"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "img")
    )
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    content_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]


class Course(Base):
    """`slug` is for the shop and follows the title until the first publication;
    `public_id` is for the studio and lasts."""

    __tablename__ = "courses"
    __table_args__ = (
        one_of("status", CourseStatus),
        one_of("subject", Subject),
        CheckConstraint("length(btrim(title)) > 0", name="title_not_blank"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_plain"),
        CheckConstraint("price_minor BETWEEN 0 AND 99999999999", name="price_in_range"),
        CheckConstraint("tax_behavior IN ('inclusive', 'exclusive')", name="tax_behavior_known"),
        CheckConstraint("price_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint("status = 'draft' OR published_at IS NOT NULL", name="published_stamped"),
        CheckConstraint("status = 'draft' OR deleted_at IS NULL", name="deleted_not_on_sale"),
        CheckConstraint("rating_sum BETWEEN rating_count AND 5 * rating_count", name="rating_sums"),
        CheckConstraint("status = 'draft' OR hidden_at IS NULL", name="hidden_not_on_sale"),
        CheckConstraint(
            "num_nulls(hidden_at, hidden_reason, hidden_on_sale) IN (0, 3)", name="hidden_whole"
        ),
        Index("ix_courses_search", "search", postgresql_using="gin"),
        Index(
            "ix_courses_newest",
            "published_at",
            "id",
            postgresql_include=["subject", "price_minor"],
            postgresql_where="status = 'published'",
        ),
        Index(
            "ix_courses_by_title",
            text("lower(title)"),
            "id",
            postgresql_where="status = 'published'",
        ),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "crs")
    )
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(String(200), default="")
    description: Mapped[str] = mapped_column(default="")
    subject: Mapped[Subject] = mapped_column(default=Subject.OTHER)
    status: Mapped[CourseStatus] = mapped_column(default=CourseStatus.DRAFT)
    price_minor: Mapped[int]
    price_currency: Mapped[str] = mapped_column(String(3))
    price: Mapped[Money] = composite("price_minor", "price_currency")
    tax_code: Mapped[str | None] = mapped_column(String(20))
    """What kind of thing it is to a tax office; null for the school's usual kind."""
    tax_behavior: Mapped[str | None] = mapped_column(String(10))
    """Fixed when it is first published while taxes are counted; null until then."""
    revision: Mapped[int] = mapped_column(default=1)
    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    cover_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    search: Mapped[str | None] = mapped_column(TSVECTOR, deferred=True)
    rating_sum: Mapped[int] = mapped_column(default=0, server_default="0")
    """Stars of the reviews that are shown, so that no page has to add them up; see
    services/ratings.py, the only writer of these three."""
    rating_count: Mapped[int] = mapped_column(default=0, server_default="0")
    rating_bars: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), default=lambda: [0] * 5, server_default="{0,0,0,0,0}"
    )
    """How many reviews have one star, two stars, and so on."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_reason: Mapped[str | None] = mapped_column(String(500))
    """What the admin who hid it told the instructor."""
    hidden_on_sale: Mapped[bool | None]
    """Whether it was on sale when it was hidden."""

    instructor: Mapped[User] = relationship(lazy="raise")
    cover: Mapped[Image | None] = relationship(lazy="raise")
    chapters: Mapped[list["Chapter"]] = relationship(
        lazy="raise", order_by="Chapter.position", cascade="all, delete-orphan"
    )

    def publish(self, now: datetime) -> None:
        """Open the course for sale. The checklist is the studio's; see services/studio.py."""
        if self.status is CourseStatus.PUBLISHED:
            raise RuleBroken("This course is already published.")
        self.ensure_shown()
        self.status = CourseStatus.PUBLISHED
        self.published_at = self.published_at or now
        self.updated_at = now

    def unpublish(self, now: datetime) -> None:
        """Take the course off the shelf. Who bought it keeps it."""
        if self.status is CourseStatus.DRAFT:
            raise RuleBroken("This course is not published.")
        self.status = CourseStatus.DRAFT
        self.updated_at = now

    def ensure_shown(self) -> None:
        if self.hidden_at is not None:
            raise RuleBroken(f"An admin has hidden this course: {self.hidden_reason}")

    def hide(self, now: datetime, reason: str) -> None:
        """Off the shelf until an admin shows it again. Who bought it keeps it."""
        if self.hidden_at is None:
            self.hidden_on_sale = self.status is CourseStatus.PUBLISHED
            self.hidden_at = now
        self.hidden_reason = reason
        self.status = CourseStatus.DRAFT

    def unhide(self, now: datetime, *, is_whole: bool) -> None:
        """On sale again if it was and is still whole; else its instructor may publish it."""
        was_on_sale = self.hidden_on_sale
        self.hidden_at = self.hidden_reason = self.hidden_on_sale = None
        if was_on_sale and is_whole:
            self.publish(now)

    def delete(self, now: datetime) -> None:
        if self.status is CourseStatus.PUBLISHED:
            raise RuleBroken("Unpublish this course before you delete it.")
        self.deleted_at = now


class Chapter(Base):
    """`position` counts from 0 without gaps; a deleted chapter has none and keeps its lessons."""

    __tablename__ = "chapters"
    __table_args__ = (
        UniqueConstraint("course_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("length(btrim(title)) > 0", name="title_not_blank"),
        CheckConstraint("position >= 0", name="position_counts"),
        CheckConstraint(PLACED, name="placed_unless_deleted"),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    position: Mapped[int | None]
    deleted_at: Mapped[datetime | None]

    lessons: Mapped[list["Lesson"]] = relationship(
        lazy="raise", order_by="Lesson.position", cascade="all, delete-orphan"
    )


class Lesson(Base):
    """`text` is Markdown and `text_html` what it renders to, sanitised, kept in step by services.

    `revision` grows with every change, so that two open windows notice each other.
    """

    __tablename__ = "lessons"
    __table_args__ = (
        UniqueConstraint("chapter_id", "position", deferrable=True, initially="DEFERRED"),
        one_of("status", LessonStatus),
        CheckConstraint("length(btrim(title)) > 0", name="title_not_blank"),
        CheckConstraint("video_id ~ '^[A-Za-z0-9_-]{11}$'", name="video_id_form"),
        CheckConstraint("video_start BETWEEN 0 AND 360000", name="video_start_in_range"),
        CheckConstraint("duration BETWEEN 0 AND 360000", name="duration_in_range"),
        CheckConstraint("position >= 0", name="position_counts"),
        CheckConstraint(PLACED, name="placed_unless_deleted"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "les")
    )
    chapter_id: Mapped[int] = mapped_column(
        ForeignKey("chapters.id", ondelete="CASCADE"), index=True
    )
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(default="")
    text_html: Mapped[str] = mapped_column(default="")
    transcript: Mapped[str] = mapped_column(default="")
    """What is said in the video, without times. For the summary only; students do not see it."""
    summary_html: Mapped[str] = mapped_column(default="")
    """The approved summary as students see it; services/assistant/summaries.py writes it."""
    content_hash: Mapped[str] = mapped_column(
        String(32),
        Computed("md5(title || chr(31) || text || chr(31) || transcript)", persisted=True),
    )
    """Tells whether a summary is of the lesson as it is now."""
    video_id: Mapped[str | None] = mapped_column(String(11))
    video_start: Mapped[int] = mapped_column(default=0)
    """Second at which the video begins for this lesson."""
    duration: Mapped[int] = mapped_column(default=0)
    """Seconds; 0 when unknown."""
    status: Mapped[LessonStatus] = mapped_column(default=LessonStatus.DRAFT)
    is_preview: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int | None]
    revision: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    chapter: Mapped[Chapter] = relationship(lazy="raise", viewonly=True)

    def show(self, now: datetime) -> None:
        """Let students see the lesson."""
        self.status = LessonStatus.LIVE
        self.updated_at = now

    def hide(self, now: datetime) -> None:
        self.status = LessonStatus.DRAFT
        self.updated_at = now
