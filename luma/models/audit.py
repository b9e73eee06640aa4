"""The audit log: who did what to which thing, and how it was before and after."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class AuditEntry(Base):
    """Written once: a trigger of the database refuses to change or delete it.

    `actor_id` is null for LUMA itself: a webhook, the command line. It is no foreign key, so that
    the log outlives people.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint(r"act ~ '^[a-z_]+\.[a-z_]+$'", name="act_in_words"),
        CheckConstraint("length(btrim(thing)) > 0", name="thing_not_blank"),
        Index("ix_audit_log_actor", "actor_id", "id"),
        Index("ix_audit_log_thing", "thing", "id"),
        Index("ix_audit_log_act", "act", "id"),
    )

    noted_at: Mapped[datetime]
    actor_id: Mapped[int | None]
    act: Mapped[str] = mapped_column(String(60))
    thing: Mapped[str] = mapped_column(String(120))
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
