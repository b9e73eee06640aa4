"""Stripe Connect at the stand-in: accounts of those who are paid, and transfers to them."""

import secrets
from typing import Any, Protocol

Object = dict[str, Any]

NOW = "2026-11-23T12:00:00Z"


class Account(Protocol):
    mode: str
    objects: dict[str, Object]

    def known(self, thing: str) -> Object: ...

    def make(self, kind: str, prefix: str, /, **fields: Any) -> Object: ...


class TooMuch(Exception):
    """What Stripe refuses, in its words."""

    error = {"type": "invalid_request_error", "message": "There is not as much left."}  # noqa: RUF012  (nobody changes it)


def is_about(path: str) -> bool:
    return path.startswith(("/v2/core/account", "/v1/transfers"))


def act(account: Account, method: str, path: str, asked: Object) -> Object:
    parts = path.split("/")[2:]
    if parts[0] == "core":
        return _core(account, method, parts[1:], asked)
    if method == "GET" and len(parts) == 2:
        return account.known(parts[1])
    if method == "GET":
        kind = "transfer" if len(parts) == 1 else "transfer_reversal"
        made = [one for one in account.objects.values() if one.get("object") == kind]
        return {"object": "list", "data": made, "has_more": False, "url": "/v1/transfers"}
    if len(parts) > 1:
        return _reverse(account, account.known(parts[1]), asked)
    account.known(asked["destination"])
    return account.make("transfer", "tr", **asked)


def _core(account: Account, method: str, parts: list[str], asked: Object) -> Object:
    """A new account may receive nothing yet: somebody has to tell Stripe who it is."""
    if method == "GET":
        return account.known(parts[-1])
    is_live = account.mode == "live"
    if parts == ["account_links"]:
        known = account.known(asked["account"])["id"]
        link = {"account": known, "use_case": asked["use_case"], "livemode": is_live}
        address = "https://connect.stripe.com/setup/1"
        times = {"created": NOW, "expires_at": NOW}
        return link | times | {"object": "v2.core.account_link", "url": address}
    made = {
        "id": f"acct_{secrets.token_hex(8)}",
        "object": "v2.core.account",
        "applied_configurations": ["recipient"],
        "contact_email": asked["contact_email"],
        "created": NOW,
        "livemode": is_live,
    }
    account.objects[made["id"]] = made
    return made


def _reverse(account: Account, transfer: Object, asked: Object) -> Object:
    gone = transfer["amount_reversed"] + asked["amount"]
    if gone > transfer["amount"]:
        raise TooMuch
    transfer["amount_reversed"] = gone
    currency = transfer["currency"]
    return account.make(
        "transfer_reversal", "trr", transfer=transfer["id"], **asked | {"currency": currency}
    )
