"""Stripe's list of events: newest first, in pages, by time and by type."""

from typing import Any

Object = dict[str, Any]

BOUNDS = {
    "gt": int.__gt__,
    "gte": int.__ge__,
    "lt": int.__lt__,
    "lte": int.__le__,
}
MOST_TYPES = 20


def listed(events: list[Object], asked: Object) -> Object:
    """`events` is the account's whole history, oldest first."""
    found = [one for one in reversed(events) if _is_asked(one, asked)]
    if after := asked.get("starting_after"):
        found = found[[one["id"] for one in found].index(after) + 1 :]
    page = found[: asked.get("limit", 10)]
    return {
        "object": "list",
        "url": "/v1/events",
        "data": page,
        "has_more": len(found) > len(page),
    }


def _is_asked(event: Object, asked: Object) -> bool:
    types = asked.get("types", [])
    assert len(types) <= MOST_TYPES, "Stripe takes 20 types at most"
    bounds = asked.get("created", {})
    in_time = all(BOUNDS[name](event["created"], bound) for name, bound in bounds.items())
    return in_time and (not types or event["type"] in types)
