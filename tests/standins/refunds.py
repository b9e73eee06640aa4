"""Refunds at the stand-in: of a payment that it was told of, and never more than it brought."""

from typing import Any, Protocol

from tests.standins import lists

Object = dict[str, Any]


class Account(Protocol):
    objects: dict[str, Object]

    def known(self, thing: str) -> Object: ...

    def make(self, kind: str, prefix: str, /, **fields: Any) -> Object: ...


class AllBack(Exception):
    """What Stripe refuses, in its words."""

    error = {  # noqa: RUF012  (nobody changes it)
        "type": "invalid_request_error",
        "code": "charge_already_refunded",
        "message": "There is not as much left.",
    }


def is_about(path: str) -> bool:
    return path.startswith("/v1/refunds")


def act(account: Account, method: str, path: str, asked: Object) -> Object:
    parts = path.split("/")[3:]
    if method == "GET" and parts:
        return account.known(parts[0])
    if method == "GET":
        return lists.listed(account.objects, "refunds", asked)
    made = _of(account, asked["payment_intent"])
    payment = account.known(asked["payment_intent"])
    if sum(one["amount"] for one in made) + asked["amount"] > payment["amount"]:
        raise AllBack
    kept = {"object": "refund", "currency": payment["currency"], "status": "succeeded"}
    return account.make("refund", "re", **asked, **kept)


def _of(account: Account, payment: str) -> list[Object]:
    refunds = [one for one in account.objects.values() if one.get("object") == "refund"]
    return [one for one in refunds if one["payment_intent"] == payment]
