"""What an event says about an invoice: where its page is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    invoice_id, url = thing["id"], thing.get("hosted_invoice_url")
    if not isinstance(invoice_id, str) or not invoice_id:
        raise ValueError("an invoice without an id")
    named = (thing.get("metadata") or {}).get("order_id")
    return InvoiceFact(
        invoice_id=invoice_id,
        order=named if isinstance(named, str) else None,
        url=url if is_address(url) else None,
    )
