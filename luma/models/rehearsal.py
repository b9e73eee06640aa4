"""A sale that is only played, so that an instructor sees each step of it work."""

from datetime import datetime
from functools import partial

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base, new_public_id


class Rehearsal(Base):
    """One at a time for each course. What it did is read from the facts of its order."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        Index(
            "uq_rehearsals_one_running",
            "course_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "reh")
    )
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    buyer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    started_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    """When the course was seen to be open for its buyer, and the refund asked for."""
    ended_at: Mapped[datetime | None]
    trouble: Mapped[str | None]
    """Why it did not come to its end."""

    def see_open(self, now: datetime) -> None:
        self.opened_at = now

    def end(self, now: datetime, trouble: str | None = None) -> None:
        self.ended_at = self.ended_at or now
        self.trouble = trouble
