"""What opens once: the links in letters about an account."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base, one_of


class TokenPurpose(StrEnum):
    VERIFY = "verify"
    RESET = "reset"
    OLD_ADDRESS = "old_address"
    NEW_ADDRESS = "new_address"


class AccountToken(Base):
    """One for each purpose: a new one takes the place of the old. Only its hash is kept.

    `email` is the address it is about: a link is worth nothing once that has changed.
    """

    __tablename__ = "account_tokens"
    __table_args__ = (
        UniqueConstraint("user_id", "purpose"),
        one_of("purpose", TokenPurpose),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("expires_at > created_at", name="expires_later"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[TokenPurpose]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    def is_live(self, now: datetime) -> bool:
        return self.used_at is None and self.expires_at > now

    def use(self, now: datetime) -> None:
        self.used_at = now
