"""What the gateway and LUMA do not say alike, kept from when it was found until it is gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.reconciliation import Difference, GatewayPull
from luma.services import clock, gateways
from luma.settings import settings
from luma.values import Money

JSON = dict[str, Any]

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Differs:
    """`name` is the gateway's id of the thing, `order` our public id of its order."""

    name: str
    order: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Sum:
    """What moved at the gateway in one currency, as each side has it, in its minor units."""

    currency: str
    theirs: int
    ours: int
    moves: int

    @property
    def is_equal(self) -> bool:
        return self.theirs == self.ours

    def words(self) -> tuple[str, str]:
        """Theirs and ours."""
        return Money(self.theirs, self.currency).words(), Money(self.ours, self.currency).words()

    @classmethod
    def thawed(cls, kept: JSON) -> Self:
        """What `frozen` wrote."""
        return cls(**kept)

    def frozen(self) -> dict[str, str | int]:
        return {
            "currency": self.currency,
            "theirs": self.theirs,
            "ours": self.ours,
            "moves": self.moves,
        }


@dataclass(frozen=True, slots=True)
class Lists:
    """What the gateway has of the time since `since`; refunds and disputes go back further."""

    name: str
    since: datetime
    before: datetime
    checkouts: list[JSON]
    charges: list[JSON]
    refunds: list[JSON]
    disputes: list[JSON]
    balances: list[JSON]


def open_now(session: Session) -> tuple[Differs, ...]:
    """The newest first."""
    rows = session.scalars(
        _open().order_by(Difference.found_at.desc(), Difference.id).limit(MOST_LISTED)
    )
    return tuple(Differs(row.name, row.order_public_id, row.words) for row in rows)


def open_since(session: Session) -> datetime | None:
    """When the oldest of them was found: what is compared must reach back to it."""
    return session.scalar(_open().with_only_columns(func.min(Difference.found_at)))


def keep(session: Session, gateway: str, found: Iterable[Differs], sums: list[Sum]) -> None:
    """What is found again stays since when it was; what is not found any more is resolved."""
    now, mode = clock.now(), settings().livemode
    for one in found:
        new = insert(Difference).values(
            gateway=gateway,
            livemode=mode,
            name=one.name[:300],
            words=one.words[:300],
            order_public_id=one.order,
            found_at=now,
            seen_at=now,
        )
        again = {"words": new.excluded.words, "seen_at": now, "resolved_at": None}
        keys = [Difference.gateway, Difference.livemode, Difference.name]
        session.execute(new.on_conflict_do_update(index_elements=keys, set_=again))
    session.execute(
        update(Difference)
        .where(
            Difference.gateway == gateway,
            Difference.livemode == mode,
            Difference.seen_at < now,
            Difference.resolved_at.is_(None),
        )
        .values(resolved_at=now)
    )
    session.execute(
        update(GatewayPull)
        .where(GatewayPull.gateway == gateway, GatewayPull.livemode == mode)
        .values(compared_at=now, sums=[one.frozen() for one in sums])
    )


def _open() -> Select[Difference]:
    return select(Difference).where(
        Difference.gateway == gateways.current().name,
        Difference.livemode == settings().livemode,
        Difference.resolved_at.is_(None),
    )
