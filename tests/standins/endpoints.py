"""Webhook endpoints and destinations of thin events at the stand-in."""

import secrets
from typing import Any

from tests.standins.connect import NOW, Account

Object = dict[str, Any]

PLAIN, THIN = "/v1/webhook_endpoints", "/v2/core/event_destinations"


def is_about(path: str) -> bool:
    return path.startswith((PLAIN, THIN))


def act(account: Account, method: str, path: str, asked: Object) -> Object:
    is_thin = path.startswith(THIN)
    place, *rest = path.removeprefix(THIN if is_thin else PLAIN).strip("/").split("/")
    if method == "GET":
        return _all(account, is_thin)
    if not place:
        return _new_destination(account, asked) if is_thin else _new(account, asked)
    found = account.known(place)
    if rest == ["enable"]:
        asked = {"status": "enabled"}
    elif "disabled" in asked:
        asked["status"] = "disabled" if asked.pop("disabled") else "enabled"
    asked.pop("include", None)
    found.update(asked)
    return _without_secret(found)


def _all(account: Account, is_thin: bool) -> Object:
    kind = "v2.core.event_destination" if is_thin else "webhook_endpoint"
    found = [_without_secret(o) for o in account.objects.values() if o.get("object") == kind]
    if is_thin:
        return {"data": found, "next_page_url": None, "previous_page_url": None}
    return {"object": "list", "data": found, "has_more": False, "url": PLAIN}


def _new(account: Account, asked: Object) -> Object:
    """The secret is told in this answer and in no other."""
    asked.pop("connect", None)
    made = account.make("webhook_endpoint", "we", status="enabled", **asked)
    return made | {"secret": _secret()}


def _new_destination(account: Account, asked: Object) -> Object:
    name = f"ed_test_{secrets.token_hex(10)}"
    asked.pop("include")
    account.objects[name] = {
        "id": name,
        "object": "v2.core.event_destination",
        "created": NOW,
        "updated": NOW,
        "description": "",
        "livemode": account.mode == "live",
        "status": "enabled",
        **asked,
    }
    told = asked["webhook_endpoint"] | {"signing_secret": _secret()}
    return account.objects[name] | {"webhook_endpoint": told}


def _without_secret(thing: Object) -> Object:
    return {name: value for name, value in thing.items() if name != "secret"}


def _secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"
