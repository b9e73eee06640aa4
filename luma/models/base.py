"""What every table shares: an id, names for constraints, plain column types."""

import enum
import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Enum, Identity, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def worded(words: type[enum.Enum], length: int = 20) -> Enum:
    """A column of words, stored as they are; `one_of` keeps the database to them."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda listed: [word.value for word in listed],
    )


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads it so)
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        enum.Enum: worded(enum.Enum),
    }

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """The column holds one of these words and nothing else."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def new_public_id(prefix: str) -> str:
    """An id for addresses, such as ord_7kq2m9x4c6t8: 59 random bits, easy to read aloud."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(12))}"
