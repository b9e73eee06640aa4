"""Products and prices of the sandbox: it keeps none, but for those that a tester has archived.

What they are called and cost is what LUMA noted when it had them made.
"""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.payment import GatewayProduct
from luma.models.sandbox import SandboxArchive
from luma.services.gateways import sandbox_events
from luma.services.gateways.protocol import GatewayMissing

JSON = sandbox_events.JSON


def is_archived(session: Session, price_id: str) -> bool:
    asked = select(exists().where(SandboxArchive.price_id == price_id))
    return bool(session.scalar(asked))


def archive(session: Session, price_id: str) -> JSON:
    """Returns the price as it is now. Twice is harmless."""
    shown = price(session, price_id)
    session.execute(insert(SandboxArchive).values(price_id=price_id).on_conflict_do_nothing())
    return shown | {"active": False}


def product(session: Session, product_id: str) -> JSON:
    """Raises GatewayMissing."""
    known = _noted(session, GatewayProduct.product_id == product_id)
    return {
        "id": product_id,
        "object": "product",
        "active": True,
        "name": known.name,
        "description": known.description or None,
        "default_price": known.price_id,
        "created": int(known.synced_at.timestamp()),
        "updated": int(known.synced_at.timestamp()),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "package_dimensions": None,
        "shippable": None,
        "tax_code": known.tax_code or None,
        "type": "service",
        "unit_label": None,
        "url": None,
    }


def price(session: Session, price_id: str) -> JSON:
    """Raises GatewayMissing."""
    known = _noted(session, GatewayProduct.price_id == price_id)
    return {
        "id": price_id,
        "object": "price",
        "active": not is_archived(session, price_id),
        "billing_scheme": "per_unit",
        "created": int(known.synced_at.timestamp()),
        "currency": known.price_currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": known.product_id,
        "recurring": None,
        "tax_behavior": known.tax_behavior or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": known.price_minor,
        "unit_amount_decimal": str(known.price_minor),
    }


def _noted(session: Session, is_it: ColumnElement[bool]) -> GatewayProduct:
    known = session.scalar(select(GatewayProduct).where(is_it))
    if known is None:
        raise GatewayMissing
    return known
