"""People, what they may be, and where they are signed in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from luma.errors import RuleBroken
from luma.models.base import Base, one_of
from luma.values import Role


class User(Base):
    """`external_id` is an identity provider's issuer and subject; null for password accounts."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("position('@' in email) > 1", name="email_has_at"),
        CheckConstraint("length(btrim(name)) > 0", name="name_not_blank"),
        CheckConstraint(
            "password_hash IS NOT NULL OR external_id IS NOT NULL OR deleted_at IS NOT NULL",
            name="can_sign_in",
        ),
        CheckConstraint("deleted_at IS NULL OR disabled_at IS NOT NULL", name="deleted_is_out"),
    )

    external_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    email_verified_at: Mapped[datetime | None]
    """Null until a link in a letter to the address was used."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    """When they left. What stays of them has no name; see services/leaving.py."""
    rehearses_for_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    """The instructor who rehearses sales with this buyer, who is nobody and counted nowhere."""

    roles: Mapped[list["UserRole"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="UserRole.role"
    )

    def disable(self, now: datetime) -> None:
        """Keep them out: no session of theirs is alive from now on."""
        self.disabled_at = now

    def enable(self) -> None:
        """Raises RuleBroken for whoever has left: nothing is there to sign in with."""
        if self.deleted_at is not None:
            raise RuleBroken("Whoever this was has deleted the account. It cannot be used again.")
        self.disabled_at = None

    def leave(self, now: datetime) -> None:
        """Nothing of the person remains. Needs `roles` loaded."""
        self.name, self.email = "Deleted account", f"deleted-{self.id}@deleted.invalid"
        self.password_hash = self.external_id = self.email_verified_at = None
        self.deleted_at = now
        self.disabled_at = self.disabled_at or now
        self.roles = []


def rehearsal_buyers() -> Select[int]:
    """Whom no figure counts."""
    return select(User.id).where(User.rehearses_for_id.is_not(None))


class UserRole(Base):
    __tablename__ = "user_roles"
    __table_args__ = (UniqueConstraint("user_id", "role"), one_of("role", Role))

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role]


class SignedIn(Base):
    """One browser in which a user is signed in. Only the hash of its token is kept."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("expires_at > created_at", name="expires_later"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))

    user: Mapped[User] = relationship(lazy="raise")


class AttemptKind(StrEnum):
    ACCOUNT = "account"
    ADDRESS = "address"
    EVERYONE = "everyone"
    SIGN_UP = "sign_up"
    SECOND_FACTOR = "second_factor"
    RESET = "reset"
    RESET_FROM = "reset_from"
    NEW_EMAIL = "new_email"
    VERIFY = "verify"
    DOWNLOAD = "download"
    IDENTITY = "identity"
    COUPON = "coupon"


class SignInAttempt(Base):
    """A wrong password, a mail asked for: counted here so that a restart does not clear it."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_recent", "kind", "key", "attempted_at"),)

    kind: Mapped[AttemptKind]
    key: Mapped[str] = mapped_column(String(254))
    attempted_at: Mapped[datetime]
