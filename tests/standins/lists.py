"""Lists of things at the stand-in: the newest first, in pages, of a time, a payment, an account."""

from typing import Any

from tests.standins.events import BOUNDS

Object = dict[str, Any]

KINDS = {
    "checkout/sessions": "checkout.session",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "balance_transactions": "balance_transaction",
    "payouts": "payout",
}


def listed(objects: dict[str, Object], path: str, asked: Object, account: str = "") -> Object:
    """`account` is whose: things of an account carry it as `of_account` here."""
    made = [one for one in objects.values() if one.get("object") == KINDS[path]]
    found = [one for one in reversed(made) if _is_asked(one, asked, account)]
    if after := asked.get("starting_after"):
        found = found[[one["id"] for one in found].index(after) + 1 :]
    page = found[: asked.get("limit", 10)]
    return {
        "object": "list",
        "url": f"/v1/{path}",
        "data": [_shown(objects, one, asked) for one in page],
        "has_more": len(found) > len(page),
    }


def _is_asked(one: Object, asked: Object, account: str) -> bool:
    bounds = asked.get("created", {})
    in_time = all(BOUNDS[name](one["created"], bound) for name, bound in bounds.items())
    is_theirs = one.get("of_account", "") == account
    names = [name for name in ("payment_intent", "source") if name in asked]
    return in_time and is_theirs and all(one.get(name) == asked[name] for name in names)


def _shown(objects: dict[str, Object], one: Object, asked: Object) -> Object:
    """Written out what is asked for as `data.name`; without what only the stand-in knows."""
    names = [name.removeprefix("data.") for name in asked.get("expand", [])]
    told = {name: value for name, value in one.items() if name != "of_account"}
    return told | {n: objects.get(one[n], one[n]) for n in names if isinstance(one.get(n), str)}
