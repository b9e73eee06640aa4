"""Signing in through an identity provider: who is on the way, and what the provider tells later."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, new_public_id, one_of
from luma.models.received import Received
from luma.values import EventStatus

OVER = "That took too long, was used already, or began in another browser. Start again."


class IdentityVisit(Base):
    """One browser on its way to a provider and back: good once, and for some minutes.

    Later it holds who came back, until they have said how they go on. Of what the browser must
    bring, its cookie and the `state`, only hashes are kept.
    """

    __tablename__ = "identity_visits"
    __table_args__ = (
        CheckConstraint("octet_length(state_hash) = 32", name="state_hash_is_sha256"),
        CheckConstraint("octet_length(browser_hash) = 32", name="browser_hash_is_sha256"),
        CheckConstraint("num_nulls(external_id, email, name) IN (0, 3)", name="came_back_whole"),
        CheckConstraint("external_id IS NULL OR returned_at IS NOT NULL", name="came_back_once"),
        Index("ix_identity_visits_expires_at", "expires_at"),
    )

    public_id: Mapped[str] = mapped_column(
        String(20), unique=True, default=lambda: new_public_id("idv")
    )
    state_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    provider: Mapped[str] = mapped_column(String(40))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    onward: Mapped[str] = mapped_column(String(500))
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    """Whoever links the identity to their account; null for somebody who signs in."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    external_id: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(80))

    def come_back(self, now: datetime) -> None:
        """Once. Raises RuleBroken when it has been, or is too late."""
        if self.returned_at is not None or self.expires_at <= now:
            raise RuleBroken(OVER)
        self.returned_at = now

    def remember(self, external_id: str, email: str, name: str, until: datetime) -> None:
        """Who came back, until they have said how they go on."""
        self.external_id, self.email, self.name = external_id, email, name
        self.expires_at = until


class IdentityEvent(Received, Base):
    """The inbox of the identity provider: every verified event, as it came, once."""

    __tablename__ = "identity_events"
    __table_args__ = (
        one_of("status", EventStatus),
        Index(
            "ix_identity_events_waiting", "next_at", postgresql_where="status IN ('new', 'parked')"
        ),
        Index("ix_identity_events_subject", "subject", "happened_at"),
    )

    subject: Mapped[str | None] = mapped_column(String(255))
    """Whom it is about, in the provider's words; null for kinds that LUMA does not act on."""
    happened_at: Mapped[datetime]
    """By the provider's clock: an older event that arrives later changes nothing."""
