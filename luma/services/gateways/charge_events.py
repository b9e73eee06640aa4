"""What an event says about a charge: what it settled to, what it cost, and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luma.services.gateways import things
from luma.values import Money

CHARGED = "charge.succeeded"
CHARGE_UPDATED = "charge.updated"
CHARGES = frozenset({CHARGED, CHARGE_UPDATED})


@dataclass(frozen=True, slots=True)
class Settled:
    """What the gateway put on the account, before its fee, and the fee: in one currency."""

    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class ChargeFact:
    charge_id: str
    payment_intent_id: str | None
    order: str | None
    """The public id of ours that the payment carries."""
    receipt_url: str | None
    settled: Settled | None
    """Null until the gateway knows it."""
    has_succeeded: bool


def charge(thing: Mapping[str, Any]) -> ChargeFact:
    """Raises ValueError, TypeError or KeyError for what is no charge."""
    receipt = thing.get("receipt_url")
    return ChargeFact(
        charge_id=things.id_of(thing, "a charge"),
        payment_intent_id=things.payment_of(thing),
        order=things.order_of(thing),
        receipt_url=receipt if is_address(receipt) else None,
        settled=_settled(thing.get("balance_transaction")),
        has_succeeded=thing["status"] == "succeeded",
    )


def is_half_told(thing: Mapping[str, Any]) -> bool:
    """Whether it names what it settled to without saying it: then it must be fetched whole."""
    return isinstance(thing.get("balance_transaction"), str)


def _settled(transaction: object) -> Settled | None:
    """Raises for an id alone, which says nothing: `is_half_told` comes first."""
    if transaction is None:
        return None
    if not isinstance(transaction, Mapping):
        raise TypeError("a balance transaction that was not fetched")
    currency = transaction["currency"]
    return Settled(Money(transaction["amount"], currency), Money(transaction["fee"], currency))


def is_address(receipt: object) -> bool:
    """It becomes a link, so nothing but a plain https address will do."""
    return isinstance(receipt, str) and receipt.startswith("https://") and len(receipt) <= 2000
