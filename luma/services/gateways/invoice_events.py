"""What an event says about an invoice: where its page is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luma.services.gateways import things
from luma.services.gateways.charge_events import is_address

INVOICE_PAID = "invoice.paid"
INVOICES = frozenset({INVOICE_PAID})


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    invoice_id: str
    order: str | None
    """The public id of ours that the invoice carries."""
    url: str | None


def invoice(thing: Mapping[str, Any]) -> InvoiceFact:
    """Raises ValueError or KeyError for what is no invoice."""
    url = thing.get("hosted_invoice_url")
    return InvoiceFact(
        invoice_id=things.id_of(thing, "an invoice"),
        order=things.order_of(thing),
        url=url if is_address(url) else None,
    )
