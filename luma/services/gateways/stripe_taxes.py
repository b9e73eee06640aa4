"""What Stripe is told about tax, as parts of what it is asked anyway; nothing where none counts."""

from typing import TYPE_CHECKING, Literal

from luma.services.gateways.protocol import CheckoutRequest, PriceRequest

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams


def behavior(request: PriceRequest) -> Literal["inclusive", "exclusive"] | None:
    """A price never changes from one to the other; it is made anew instead."""
    if request.tax_behavior == "inclusive":
        return "inclusive"
    return "exclusive" if request.tax_behavior == "exclusive" else None


def of_checkout(request: CheckoutRequest) -> "SessionCreateParams":
    """An invoice and a tax number need a customer at Stripe; the invoice carries the order's id."""
    if not request.counts_tax:
        return {}
    return {
        "automatic_tax": {"enabled": True},
        "tax_id_collection": {"enabled": True},
        "customer_creation": "always",
        "invoice_creation": {
            "enabled": True,
            "invoice_data": {"metadata": {"order_id": request.order}},
        },
    }
