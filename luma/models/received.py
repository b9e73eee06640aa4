"""What others tell us by webhook: kept once, applied later, and never lost on the way."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.values import EventStatus


class Received:
    """The part that every inbox shares. `raw` is what was signed."""

    event_id: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(120))
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    status: Mapped[EventStatus] = mapped_column(default=EventStatus.NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    last_error: Mapped[str | None]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    @property
    def is_waiting(self) -> bool:
        return self.status in (EventStatus.NEW, EventStatus.PARKED)

    def finish(self, now: datetime, remark: str | None = None) -> None:
        """Its effects are in this very transaction. `remark` is why there were none."""
        self.status = EventStatus.DONE
        self.done_at = now
        self.last_error = remark

    def park(self, until: datetime, why: str) -> None:
        self.status = EventStatus.PARKED
        self.attempts += 1
        self.next_at = until
        self.last_error = why

    def wake(self, now: datetime) -> None:
        """Somebody looked at it: it is tried again."""
        self.status = EventStatus.NEW
        self.next_at = now

    def give_up(self, why: str) -> None:
        self.status = EventStatus.DEAD
        self.last_error = why
