"""A stand-in for Stripe's API: a process of its own that speaks the real protocol on loopback.

It keeps products, prices and sessions in memory, remembers idempotency keys as Stripe does (a 500
too, a refused request not), and can be told to fail. What it is asked and what it answers is held
against Stripe's published description; `/control/faults` tells what did not fit.
"""

import argparse
import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from tests.standins import connect, contract, endpoints, events, lists, refunds

Object = dict[str, Any]

STORED, FAILS_AFTER = ("500", "500 and done"), ("reset", "hang")
"""A 500 is kept under its key. The others fail after the work is done: the answer is lost."""

NO_COUPON = {"percent_off": None, "amount_off": None, "currency": None, "redeem_by": None}

HANGS_FOR = 5
"""Longer than the tests' client has patience for."""

ERRORS = {
    "409": (409, {"type": "idempotency_error", "message": "Another request has this key."}),
    "403": (403, {"type": "invalid_request_error", "message": "This key lacks a permission."}),
    "429": (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "Slowly."}),
    "500": (500, {"type": "api_error", "message": "Something broke."}),
}


class Refused(Exception):
    def __init__(self, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        named = {"code": code, "param": param}
        self.error = {"type": "invalid_request_error", "message": message} | {
            name: value for name, value in named.items() if value
        }


class Account:
    """What one Stripe account holds. What was made with a test key is not there for a live one."""

    def __init__(self) -> None:
        self.mode = "test"
        self.objects: dict[str, Object] = {}
        self.remembered: dict[str, tuple[str, int, Object]] = {}
        self.requests: list[Object] = []
        self.misfits: list[str] = []
        self.troubles: list[Object] = []
        self.events: list[Object] = []
        self.asked_of = ""

    def trouble(self, method: str, path: str) -> str | None:
        for trouble in self.troubles:
            is_meant = trouble["path"] in (f"{method} {path}", path[: len(trouble["path"])])
            if is_meant and trouble["times"] > 0:
                trouble["times"] -= 1
                return str(trouble["kind"])
        return None

    def act(self, method: str, path: str, asked: Object) -> Object:
        parts = path.removeprefix("/v1/").split("/")
        if method == "GET":
            return self._read(parts, asked)
        if make := self._makers.get("/".join(parts)):
            return make(asked)
        match parts:
            case ["checkout", "sessions", session_id, "expire"]:
                return self._expire(session_id)
            case ["products" | "prices" | "promotion_codes" as kind, thing]:
                return self._change(kind, thing, asked)
        raise Refused(f"Unrecognized request URL ({method}: {path}).")

    def _read(self, parts: list[str], asked: Object) -> Object:
        if parts == ["events"]:
            return events.listed(self.events, asked)
        if (place := "/".join(parts)) in lists.KINDS:
            return lists.listed(self.objects, place, asked, self.asked_of)
        return self._shown(self.known(parts[-1]), asked)

    def _shown(self, thing: Object, asked: Object) -> Object:
        """With what it names written out, where that is asked for."""
        named = [one for one in asked.get("expand", []) if isinstance(thing.get(one), str)]
        return thing | {one: self.known(thing[one]) for one in named}

    @property
    def _makers(self) -> dict[str, Callable[[Object], Object]]:
        return {
            "products": lambda asked: self.make("product", "prod", default_price=None, **asked),
            "prices": self._make_price,
            "coupons": lambda asked: self.make("coupon", "cpn", **{**NO_COUPON, **asked}),
            "promotion_codes": self._make_promotion,
            "checkout/sessions": self._make_session,
        }

    def make(self, kind: str, prefix: str, /, **fields: Any) -> Object:
        made = contract.example(kind) | fields
        made |= {"id": f"{prefix}_{secrets.token_hex(10)}", "created": int(time.time())}
        made["livemode"] = self.mode == "live"
        self.objects[made["id"]] = made
        return made

    def _make_price(self, asked: Object) -> Object:
        self.known(asked["product"])
        if asked.pop("transfer_lookup_key", False):
            for other in self.objects.values():
                if other.get("lookup_key") == asked.get("lookup_key"):
                    other["lookup_key"] = None
        amount = asked["unit_amount"]
        return self.make("price", "price", active=True, unit_amount_decimal=str(amount), **asked)

    def _make_promotion(self, asked: Object) -> Object:
        """One code is active once only."""
        self.known(asked["promotion"]["coupon"])
        for other in self.objects.values():
            if other.get("code") == asked["code"] and other["active"]:
                raise Refused("An active promotion code with this code exists already.")
        return self.make("promotion_code", "promo", active=True, **asked)

    def _off(self, asked: Object, subtotal: int) -> int:
        """What a session's coupon takes off. Where a share falls between two cents, both are
        possible: then it rounds down, unlike LUMA."""
        off = 0
        for one in asked.get("discounts", []):
            coupon = self.objects.get(one["coupon"])
            if coupon is None or coupon["livemode"] is not (self.mode == "live"):
                param = "discounts[0][coupon]"
                raise Refused("No such coupon.", "resource_missing", param)
            off = coupon["amount_off"] or int(subtotal * coupon["percent_off"] / 100)
        return off

    def _make_session(self, asked: Object) -> Object:
        price = self.known(asked["line_items"][0]["price"])
        if not price["active"]:
            raise Refused("The price specified is inactive.", param="line_items[0][price]")
        if not 1800 <= asked["expires_at"] - time.time() <= 86_400:
            raise Refused("`expires_at` must be between 30 minutes and 24 hours from now.")
        if "discounts" in asked and "allow_promotion_codes" in asked:
            raise Refused("You may only specify one of these parameters.")
        off = self._off(asked, price["unit_amount"])
        kept = ("client_reference_id", "metadata", "success_url", "cancel_url", "expires_at")
        made = self.make(
            "checkout.session",
            f"cs_{self.mode}",
            **{name: asked[name] for name in kept},
            amount_subtotal=price["unit_amount"],
            amount_total=price["unit_amount"] - off,
            total_details={"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
            currency=price["currency"],
            payment_intent=None,
            payment_status="unpaid",
            status="open",
        )
        made["url"] = f"https://checkout.stripe.com/c/pay/{made['id']}"
        return made

    def _expire(self, session_id: str) -> Object:
        session = self.known(session_id)
        if session["status"] != "open":
            raise Refused("Only Checkout Sessions with a status of open can be expired.")
        return self._set(session, status="expired", url=None)

    def _change(self, kind: str, thing: str, asked: Object) -> Object:
        found = self.known(thing)
        if kind == "prices" and asked.get("active") is False and self._is_default(found):
            raise Refused("This price cannot be archived because it is the default price.")
        return self._set(found, **asked)

    def _set(self, thing: Object, **fields: Any) -> Object:
        thing.update(fields)
        return thing

    def _is_default(self, price: Object) -> bool:
        return bool(self.known(price["product"])["default_price"] == price["id"])

    def known(self, thing: str) -> Object:
        found = self.objects.get(thing)
        if found is None or found["livemode"] is not (self.mode == "live"):
            raise Refused(f"No such object: '{thing}'", "resource_missing")
        return found


def build() -> FastAPI:
    app, account = FastAPI(), Account()

    @app.post("/control/troubles")
    async def set_troubles(request: Request) -> Object:
        """[{"path": "/v1/prices", "kind": "500", "times": 1}, …] replaces what was set."""
        account.troubles = await request.json()
        return {}

    @app.post("/control/events")
    async def set_events(request: Request) -> Object:
        """What happened there, oldest first; replaces what was set."""
        account.events = await request.json()
        return {}

    @app.post("/control/objects/{thing}")
    async def set_object(thing: str, request: Request) -> Object:
        """Somebody changes a thing in the dashboard, or pays."""
        account.objects.setdefault(thing, {}).update(await request.json())
        return account.objects[thing]

    @app.post("/control/forget")
    async def forget() -> Object:
        account.__init__()  # type: ignore[misc]  # a new account under the same address
        return {}

    @app.get("/control")
    async def state() -> Object:
        return {
            "objects": account.objects,
            "requests": account.requests,
            "misfits": account.misfits,
        }

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
    async def stripe_api(request: Request) -> Response:
        return await _answer(account, request)

    return app


async def _answer(account: Account, request: Request) -> Response:
    method, path, form = request.method, request.url.path, (await request.body()).decode()
    key = request.headers.get("idempotency-key", "")
    account.mode = "live" if "_live_" in request.headers.get("authorization", "") else "test"
    key = key and f"{account.mode} {key}"
    said = request.url.query if method == "GET" else form
    _note(account, request, said, key)
    kind = account.trouble(method, path)
    if kind == "html":
        return HTMLResponse("<h1>A proxy is in the way</h1>")
    if kind in ERRORS and kind not in STORED:
        return _error(*ERRORS[kind])
    if method == "POST" and key in account.remembered:
        made_of, status, body = account.remembered[key]
        if made_of != f"{path}?{form}":
            return _error(400, {"type": "idempotency_error", "message": "Other parameters."})
        return JSONResponse(body, status, {"Idempotent-Replayed": "true"})
    status, body = _done(account, method, path, said) if kind != "500" else _broken()
    if kind in STORED:
        status, body = _broken()
    account.misfits += contract.answer_faults(method, path, status, body)
    if method == "POST" and key and status != 400:
        account.remembered[key] = (f"{path}?{form}", status, json.loads(json.dumps(body)))
    if kind in FAILS_AFTER:
        return await _lost(kind)
    return JSONResponse(body, status, {"Request-Id": f"req_{len(account.requests)}"})


def _note(account: Account, request: Request, form: str, key: str) -> None:
    method, path = request.method, request.url.path
    account.misfits += contract.request_faults(method, path, form)
    if not request.headers.get("authorization", "").startswith(f"Bearer sk_{account.mode}_"):
        account.misfits.append(f"{method} {path}: no key")
    if "x-stripe-client-telemetry" in request.headers:
        account.misfits.append(f"{method} {path}: telemetry is on")
    account.asked_of = request.headers.get("stripe-account", "")
    account.requests.append({"method": method, "path": path, "form": form, "key": key})


def _done(account: Account, method: str, path: str, form: str) -> tuple[int, Object]:
    try:
        return 200, _answering(path)(account, method, path, contract.asked(method, path, form))
    except (Refused, connect.TooMuch, refunds.AllBack) as refusal:
        return 400, {"error": refusal.error}


def _answering(path: str) -> Callable[[Account, str, str, Object], Object]:
    if connect.is_about(path):
        return connect.act
    if endpoints.is_about(path):
        return endpoints.act
    return refunds.act if refunds.is_about(path) else Account.act


def _broken() -> tuple[int, Object]:
    status, error = ERRORS["500"]
    return status, {"error": error}


def _error(status: int, error: Object) -> Response:
    return JSONResponse({"error": error}, status)


async def _lost(kind: str | None) -> Response:
    """The work is done, and nobody hears of it."""
    if kind == "hang":
        await asyncio.sleep(HANGS_FOR)

    async def half() -> AsyncIterator[bytes]:
        yield b'{"id": "'
        raise ConnectionResetError

    return StreamingResponse(half(), headers={"Content-Length": "100"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--descriptor", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().descriptor)
    config = uvicorn.Config(build(), log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run([listener])
