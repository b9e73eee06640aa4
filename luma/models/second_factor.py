"""What a person has beside a password: an app that shows codes, and codes for when it is gone."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base

SHA256 = "octet_length({}) = 32"


class SecondFactor(Base):
    """Begun with a secret, on once a code of it was typed. The secret is kept sealed.

    `last_step` is the half minute of the newest code that was taken: none is taken twice.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Opens one sign-in without the app. Only its hash is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (CheckConstraint(SHA256.format("code_hash"), name="code_hash_is_sha256"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    used_at: Mapped[datetime | None]


class HalfSignIn(Base):
    """A browser whose user has given the password and not yet the code. It may do nothing else."""

    __tablename__ = "half_sign_ins"
    __table_args__ = (CheckConstraint(SHA256.format("token_hash"), name="token_hash_is_sha256"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
