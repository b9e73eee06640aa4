"""Stripe's own lists of things, page after page. Called by stripe.py."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

import stripe

from luma.services.gateways.protocol import Thing

T = TypeVar("T", bound=stripe.StripeObject)

PAGE = 100


def listed(
    client: stripe.StripeClient, kind: Thing, since: datetime | None, payment: str | None
) -> Iterator[dict[str, object]]:
    """Charges come with what they settled to."""
    asked: Any = {"limit": PAGE}
    if since is not None:
        asked["created"] = {"gte": int(since.timestamp())}
    if payment is not None:
        asked["payment_intent"] = payment
    match kind:
        case Thing.CHECKOUT:
            yield from _all(client.v1.checkout.sessions.list(asked))
        case Thing.CHARGE:
            expanded = asked | {"expand": ["data.balance_transaction"]}
            yield from _all(client.v1.charges.list(expanded))
        case Thing.REFUND:
            yield from _all(client.v1.refunds.list(asked))
        case Thing.DISPUTE:
            yield from _all(client.v1.disputes.list(asked))


def _all(first: "stripe.ListObject[T]") -> Iterator[dict[str, object]]:
    for thing in first.auto_paging_iter():
        yield thing.to_dict()
