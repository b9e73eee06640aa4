"""Stripe's signature on an event: who sent it, when, and whether it is an event at all."""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Never, TypeVar

from stripe import WebhookSignature

from luma.services import clock
from luma.services.gateways.protocol import Door, GatewayEvent, Stale, Unverified

T = TypeVar("T")

log = logging.getLogger(__name__)

TOLERANCE = 300
"""Seconds a signature may be old, or ahead of our clock. Each delivery is signed afresh."""

_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,200}")
_TYPE = re.compile(r"[a-z0-9_.]{1,100}")
_THIN_TYPE = re.compile(r"[a-z0-9_.\[\]]{1,100}")
_THING_ID = re.compile(r"[A-Za-z0-9_]{1,200}")
_VERSION = re.compile(r"[a-z0-9_.-]{1,40}")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,200}")


def sign(payload: bytes, secret: str) -> str:
    """The Stripe-Signature header for this body, as of now."""
    now = int(clock.now().timestamp())
    return str(WebhookSignature.generate_signature_header(payload.decode(), secret, now))


def ensure_signed(payload: bytes, header: str, secrets: Iterable[str]) -> None:
    """Raises Unverified unless one of the secrets signed exactly these bytes, just now."""
    if not any(_matches(payload, header, secret) for secret in secrets):
        raise Unverified("The signature does not match.")
    age = int(clock.now().timestamp()) - _signed_at(header)
    if abs(age) > TOLERANCE:
        log.warning("an event with a good signature is stale", extra={"age": age})
        raise Stale(age)


def read_at(door: Door, payload: bytes, source: str) -> GatewayEvent:
    """What arrives at one address is no use at another: each refuses the other's shape."""
    return read_thin(payload, source) if door is Door.THIN else read(payload, source)


def read_thin(payload: bytes, source: str) -> GatewayEvent:
    """The same for an event that only says which account it is about."""
    with _shaped_like("a thin event"):
        event = json.loads(payload, parse_constant=_refuse)
        found = GatewayEvent(
            event_id=_word(_EVENT_ID, event["id"]),
            type=_word(_THIN_TYPE, event["type"]),
            api_version=None,
            livemode=_exactly(bool, event["livemode"]),
            account=None,
            created_at=datetime.fromisoformat(event["created"]).astimezone(UTC),
            raw=payload,
            source=source,
        )
        is_thin = event["object"] == "v2.core.event"
        about = event.get("related_object")
        if about is not None:
            _word(_THING_ID, about["id"])
    if not is_thin:
        raise Unverified("That is not a thin event.")
    return found


def read(payload: bytes, source: str) -> GatewayEvent:
    """The outside of an event. Raises Unverified for anything that is not shaped like one."""
    with _shaped_like("an event"):
        event = json.loads(payload, parse_constant=_refuse)
        found = GatewayEvent(
            event_id=_word(_EVENT_ID, event["id"]),
            type=_word(_TYPE, event["type"]),
            api_version=_optional(_VERSION, event.get("api_version")),
            livemode=_exactly(bool, event["livemode"]),
            account=_optional(_ACCOUNT, event.get("account")),
            created_at=datetime.fromtimestamp(_exactly(int, event["created"]), UTC),
            raw=payload,
            source=source,
        )
        is_event = event["object"] == "event" and isinstance(event["data"]["object"], dict)
    if not is_event:
        raise Unverified("That is not an event.")
    return found


@contextmanager
def _shaped_like(what: str) -> Iterator[None]:
    """Raises Unverified for whatever is stumbled over while reading what should be one."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as error:
        raise Unverified(f"That is not {what}.") from error
    except RecursionError as error:
        raise Unverified("That event is nested too deeply.") from error


def _matches(payload: bytes, header: str, secret: str) -> bool:
    """Whatever the library stumbles over (it raises TypeError, UnicodeError, …) is no match."""
    try:
        return bool(WebhookSignature.verify_header(payload, header, secret, tolerance=None))
    except Exception:
        return False


def _signed_at(header: str) -> int:
    """The first `t=`, which is the one the library signs with."""
    fields = (item.split("=") for item in header.split(","))
    return next(int(field[1]) for field in fields if field[0] == "t")


def _word(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(value)
    return value


def _optional(pattern: re.Pattern[str], value: object) -> str | None:
    return None if value is None else _word(pattern, value)


def _exactly(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(value)
    return value


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")
