"""Stripe's own lists of things, page after page. Called by stripe.py."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import stripe

from luma.services.gateways.protocol import Thing
from luma.services.gateways.reversal_events import BALANCE

PAGE = 100
SETTLED = {Thing.CHARGE: ("balance_transaction",), Thing.REFUND: BALANCE}
"""What only names what it moved, unless it is asked for."""


def listed(
    client: stripe.StripeClient,
    kind: Thing,
    since: datetime | None,
    of: str | None,
) -> Iterator[dict[str, object]]:
    """Charges and refunds come with what they settled to; payouts are those of one account."""
    asked: Any = {"limit": PAGE}
    if since is not None:
        asked["created"] = {"gte": int(since.timestamp())}
    if of is not None and kind is not Thing.PAYOUT:
        asked["source" if kind is Thing.BALANCE else "payment_intent"] = of
    if kind in SETTLED:
        asked["expand"] = [f"data.{name}" for name in SETTLED[kind]]
    options: Any = {"stripe_account": of} if kind is Thing.PAYOUT else {}
    for thing in _first(client, kind)(asked, options).auto_paging_iter():
        yield thing.to_dict()


def _first(client: stripe.StripeClient, kind: Thing) -> Callable[[Any, Any], Any]:
    """What asks for the first page."""
    asks: dict[Thing, Callable[[Any, Any], Any]] = {
        Thing.CHECKOUT: client.v1.checkout.sessions.list,
        Thing.CHARGE: client.v1.charges.list,
        Thing.REFUND: client.v1.refunds.list,
        Thing.DISPUTE: client.v1.disputes.list,
        Thing.BALANCE: client.v1.balance_transactions.list,
        Thing.PAYOUT: client.v1.payouts.list,
    }
    return asks[kind]
