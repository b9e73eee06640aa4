"""What an event says about a transfer to an account, whoever made it, and what went back of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luma.services.gateways import things
from luma.values import Money

TRANSFERRED = "transfer.created"
TRANSFER_REVERSED = "transfer.reversed"
TRANSFERS = frozenset({TRANSFERRED, TRANSFER_REVERSED})


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A part of a transfer that went back. `reference` is the key LUMA asked with, if it did."""

    reversal_id: str
    amount: Money
    reference: str | None
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class TransferFact:
    transfer_id: str
    account_id: str
    amount: Money
    charge_id: str | None
    reference: str | None
    happened_at: datetime
    back: tuple[TakenBack, ...]
    """All that ever went back, however late this is heard."""


def transfer(thing: Mapping[str, Any]) -> TransferFact:
    """Raises ValueError, TypeError or KeyError for what is no transfer."""
    account = _id_in(thing, "destination")
    if account is None:
        raise ValueError("a transfer to nobody")
    return TransferFact(
        transfer_id=things.id_of(thing, "a transfer"),
        account_id=account,
        amount=Money(thing["amount"], thing["currency"]),
        charge_id=_id_in(thing, "source_transaction"),
        reference=things.reference_of(thing),
        happened_at=_moment(thing["created"]),
        back=tuple(_taken_back(one) for one in thing["reversals"]["data"]),
    )


def is_half_told(thing: Mapping[str, Any]) -> bool:
    """Whether more went back than it lists: then it must be fetched whole."""
    told = sum(one["amount"] for one in thing["reversals"]["data"])
    return bool(told != thing["amount_reversed"])


def _taken_back(thing: Mapping[str, Any]) -> TakenBack:
    return TakenBack(
        reversal_id=things.id_of(thing, "a reversal"),
        amount=Money(thing["amount"], thing["currency"]),
        reference=things.reference_of(thing),
        happened_at=_moment(thing["created"]),
    )


def _id_in(thing: Mapping[str, Any], name: str) -> str | None:
    """Whether Stripe sent the id or the whole of it."""
    found = thing.get(name)
    return things.text(found, "id") if isinstance(found, Mapping) else things.text(thing, name)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
