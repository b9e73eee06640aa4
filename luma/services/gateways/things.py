"""What every object of Stripe's has, read in one way."""

from collections.abc import Mapping
from typing import Any


def id_of(thing: Mapping[str, Any], what: str) -> str:
    """Raises ValueError for what has none; `what` it should have been, such as "a charge"."""
    found = text(thing, "id")
    if not found:
        raise ValueError(f"{what} without an id")
    return found


def text(thing: Mapping[str, Any], name: str) -> str | None:
    """None where it is missing, or anything but text."""
    found = thing.get(name)
    return found if isinstance(found, str) else None


def order_of(thing: Mapping[str, Any]) -> str | None:
    """The public id of ours that LUMA has given it along; None for what another shop made."""
    metadata = thing.get("metadata")
    return text(metadata, "order_id") if isinstance(metadata, Mapping) else None


def reference_of(thing: Mapping[str, Any]) -> str | None:
    """The key that LUMA asked with; None for what somebody made in the dashboard."""
    metadata = thing.get("metadata")
    return text(metadata, "reference") if isinstance(metadata, Mapping) else None


def payment_of(thing: Mapping[str, Any]) -> str | None:
    """The id of its payment intent, whether Stripe sent the id or the whole of it."""
    found = thing.get("payment_intent")
    return text(found, "id") if isinstance(found, Mapping) else text(thing, "payment_intent")


def id_in(part: object) -> str:
    """An id as it is, or of the whole thing; nothing that a table cannot hold."""
    found = part.get("id") if isinstance(part, Mapping) else part
    is_one = isinstance(found, str) and found.isascii() and found.isprintable()
    return str(found) if is_one and len(str(found)) <= 255 else ""
