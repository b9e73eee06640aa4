"""What a balance transaction says: how much moved on the platform's own balance, and for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luma.services.gateways import things
from luma.values import Money

BACK = frozenset({"refund_failure", "payment_failure_refund", "transfer_failure"})
DISPUTED = "adjustment"


@dataclass(frozen=True, slots=True)
class Line:
    """`net` is after the gateway's fee, and below zero for what went away."""

    source: str | None
    """The charge, refund, dispute or transfer that it is for; none for a fee of the month."""
    is_back: bool
    """Whether it takes back what the same thing had moved before."""
    net: Money
    happened_at: datetime


def line(thing: Mapping[str, Any]) -> Line:
    """Raises ValueError, TypeError or KeyError for what is no balance transaction."""
    source = thing.get("source")
    net = Money(thing["net"], thing["currency"])
    is_won = thing["type"] == DISPUTED and net.minor > 0
    return Line(
        source=things.text(source, "id") if isinstance(source, Mapping) else source,
        is_back=is_won or thing["type"] in BACK,
        net=net,
        happened_at=datetime.fromtimestamp(thing["created"], UTC),
    )
