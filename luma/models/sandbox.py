"""What the sandbox keeps of the events it makes, as Stripe keeps its own."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class SandboxEvent(Base):
    """An event, delivered or not: whoever asks for what it missed finds it here."""

    __tablename__ = "sandbox_events"
    __table_args__ = (
        CheckConstraint("fate IN ('sent', 'held', 'dropped')", name="fate_known"),
        Index("ix_sandbox_events_created_at", "created_at"),
        Index("ix_sandbox_events_session_id", "session_id"),
    )

    event_id: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(120))
    body: Mapped[str]
    created_at: Mapped[datetime]
    """In whole seconds, as in the body."""
    session_id: Mapped[str | None] = mapped_column(String(255))
    """The checkout that it is about."""
    fate: Mapped[str] = mapped_column(String(10), default="sent")
    """A tester may have it held until the next one went, or dropped on the way."""
    delivered_at: Mapped[datetime | None]
    trouble: Mapped[str | None]
    """Why the last try did not reach the webhook."""

    def hold(self) -> None:
        self.fate = "held"

    def drop(self) -> None:
        self.fate = "dropped"

    def send(self) -> None:
        self.fate = "sent"


class SandboxArchive(Base):
    """A price that a tester has taken off sale at the sandbox."""

    __tablename__ = "sandbox_archives"

    price_id: Mapped[str] = mapped_column(String(255), unique=True)
