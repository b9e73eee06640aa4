"""What LUMA notes when it compares itself with the gateway."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class GatewayPull(Base):
    """How far the gateway's list of events was read, in one mode of one gateway.

    `read_until` is the gateway's own time of the newest event seen, so that a clock of ours that
    is off loses nothing; `pulled_at` is ours, of the last pull that came to its end.
    """

    __tablename__ = "gateway_pulls"
    __table_args__ = (
        UniqueConstraint("gateway", "livemode"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
    )

    gateway: Mapped[str] = mapped_column(String(10))
    livemode: Mapped[bool]
    read_until: Mapped[datetime]
    pulled_at: Mapped[datetime]
    tried_at: Mapped[datetime]
    found: Mapped[int] = mapped_column(default=0)
    """New to the inbox in the last pull that came to its end."""
    trouble: Mapped[str | None] = mapped_column(String(200))
    """Why the last try broke off; null when it came to its end."""
    compared_at: Mapped[datetime | None]
    """When everything of the last days was last compared."""
    sums: Mapped[list[dict[str, object]] | None] = mapped_column(JSONB)
    """What moved in those days, by currency: there, and in the ledger."""

    def reach(self, until: datetime, now: datetime, found: int) -> None:
        self.read_until = max(self.read_until, until)
        self.pulled_at = self.tried_at = now
        self.found, self.trouble = found, None

    def break_off(self, why: str, now: datetime) -> None:
        """What was read so far is kept, and read again."""
        self.tried_at, self.trouble = now, why[:200]


class EndpointCheck(Base):
    """Where the gateway sends its events, in one mode of it, as it said at `checked_at`."""

    __tablename__ = "endpoint_checks"
    __table_args__ = (
        UniqueConstraint("gateway", "livemode"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
    )

    gateway: Mapped[str] = mapped_column(String(10))
    livemode: Mapped[bool]
    found: Mapped[list[dict[str, object]]] = mapped_column(JSONB, default=list)
    checked_at: Mapped[datetime | None]
    """Null before the first answer."""
    trouble: Mapped[str | None] = mapped_column(String(300))
    """Why the last try brought no answer; null when it did."""

    def answer(self, found: list[dict[str, object]], now: datetime) -> None:
        self.found, self.checked_at, self.trouble = found, now, None

    def break_off(self, why: str) -> None:
        """What was found before is kept."""
        self.trouble = why[:300]


class Difference(Base):
    """Something that the gateway and LUMA do not say alike. `name` is what it is about."""

    __tablename__ = "differences"
    __table_args__ = (
        UniqueConstraint("gateway", "livemode", "name"),
        Index("ix_differences_open", "found_at", postgresql_where="resolved_at IS NULL"),
    )

    gateway: Mapped[str] = mapped_column(String(10))
    livemode: Mapped[bool]
    name: Mapped[str] = mapped_column(String(300))
    words: Mapped[str] = mapped_column(String(300))
    order_public_id: Mapped[str | None] = mapped_column(String(24))
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class WebhookRefusal(Base):
    """Deliveries that were refused in one hour for one reason, counted.

    `least_age` and `most_age` are of stale signatures: by how many seconds they were old (or,
    below zero, ahead). All off by the same is a clock that is wrong.
    """

    __tablename__ = "webhook_refusals"
    __table_args__ = (
        UniqueConstraint("hour", "reason"),
        CheckConstraint("times > 0", name="times_positive"),
    )

    hour: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(100))
    times: Mapped[int]
    last_at: Mapped[datetime]
    least_age: Mapped[int | None]
    most_age: Mapped[int | None]
