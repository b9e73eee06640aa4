"""What the sandbox keeps of the events it makes, as Stripe keeps its own."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class SandboxEvent(Base):
    """An event, delivered or not: whoever asks for what it missed finds it here."""

    __tablename__ = "sandbox_events"
    __table_args__ = (Index("ix_sandbox_events_created_at", "created_at"),)

    event_id: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(120))
    body: Mapped[str]
    created_at: Mapped[datetime]
    """In whole seconds, as in the body."""
