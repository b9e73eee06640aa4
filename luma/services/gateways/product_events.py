"""What the gateway says of products and prices: which one, and whether LUMA did it itself.

What is for sale is never read from an event: it only leads to a look at the thing (payments.md,
"product.*": our own echo is known by its idempotency key).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luma.services.gateways import things

PRODUCT_DELETED = "product.deleted"
PRICE_DELETED = "price.deleted"
PRODUCTS = frozenset({"product.updated", PRODUCT_DELETED})
PRICES = frozenset({"price.updated", PRICE_DELETED})

OURS = "luma:"
"""How the idempotency keys of LUMA's own calls begin."""


@dataclass(frozen=True, slots=True)
class ProductFact:
    """Something was done to a product, or to a price of it."""

    product_id: str
    price_id: str | None
    """None where it is about the product itself."""
    is_gone: bool
    is_echo: bool


def product(kind: str, thing: Mapping[str, Any], event: Mapping[str, Any]) -> ProductFact:
    """Raises ValueError for what makes no sense."""
    thing_id = things.id_of(thing, "a product or price")
    of = thing.get("product")
    of = of.get("id") if isinstance(of, Mapping) else of
    is_price = kind in PRICES
    return ProductFact(
        product_id=str(of or "") if is_price else thing_id,
        price_id=thing_id if is_price else None,
        is_gone=kind in (PRODUCT_DELETED, PRICE_DELETED),
        is_echo=_key(event).startswith(OURS),
    )


def _key(event: Mapping[str, Any]) -> str:
    asked = event.get("request")
    return (things.text(asked, "idempotency_key") or "") if isinstance(asked, Mapping) else ""
