"""Clerk's events: who sent them, by Svix's signature, and what they say about a user."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from luma.services.gateways.protocol import Unverified
from luma.settings import settings

DELETED, UPDATED = "user.deleted", "user.updated"
ACTED_ON = (DELETED, UPDATED)

_EVENT_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_TYPE = re.compile(r"[A-Za-z0-9_.]{1,100}")
_SUBJECT = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_NAMES = ("id", "timestamp", "signature")


@dataclass(frozen=True, slots=True)
class ClerkEvent:
    """An event whose sender is proven. `subject` is null for kinds that LUMA does not act on."""

    event_id: str
    type: str
    subject: str | None
    happened_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class ClerkUser:
    """A user as Clerk has them now. The address is None unless it is confirmed there."""

    name: str
    email: str | None


def verified(payload: bytes, headers: Mapping[str, str]) -> ClerkEvent:
    """Check who sent an event, and when. Raises Unverified."""
    if not any(_matches(payload, headers, secret) for secret in settings().clerk_secrets()):
        raise Unverified("The signature does not match.")
    try:
        return _read(payload, headers)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as error:
        raise Unverified("That is not an event.") from error
    except RecursionError as error:
        raise Unverified("That event is nested too deeply.") from error


def sign(payload: bytes, event_id: str, secret: str, when: datetime) -> dict[str, str]:
    """The headers that Svix would send with this body."""
    signature = Webhook(secret).sign(event_id, when, payload.decode())
    stamp = str(int(when.timestamp()))
    return {"svix-id": event_id, "svix-timestamp": stamp, "svix-signature": signature}


def user(raw: bytes) -> ClerkUser:
    """Out of an event that was verified."""
    told = json.loads(raw)["data"]
    names = (told.get("first_name"), told.get("last_name"))
    return ClerkUser(" ".join(one for one in names if isinstance(one, str)), _address(told))


def _matches(payload: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Svix signs as Standard Webhooks do, under other names. What it stumbles over is no match."""
    try:
        renamed = {f"webhook-{name}": headers.get(f"svix-{name}", "") for name in _NAMES}
        Webhook(secret).verify(payload, renamed, json_parse=False)
    except Exception:
        return False
    return True


def _read(payload: bytes, headers: Mapping[str, str]) -> ClerkEvent:
    event = json.loads(payload)
    kind, data = _word(_TYPE, event["type"]), event["data"]
    if event.get("object") != "event" or not isinstance(data, dict):
        raise ValueError("no event")
    is_ours = kind in ACTED_ON
    return ClerkEvent(
        event_id=_word(_EVENT_ID, headers["svix-id"]),
        type=kind,
        subject=_word(_SUBJECT, data["id"]) if is_ours else None,
        happened_at=_moment(
            (data.get("updated_at"), event.get("timestamp")), headers["svix-timestamp"]
        ),
        raw=payload,
    )


def _moment(told: Iterable[object], sent: str) -> datetime:
    """When the user was changed, else when the event was made, else when it was sent."""
    for milliseconds in told:
        if type(milliseconds) is int:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return datetime.fromtimestamp(int(float(sent)), UTC)


def _address(told: Mapping[str, Any]) -> str | None:
    listed, primary = told.get("email_addresses"), told.get("primary_email_address_id")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and primary and one.get("id") == primary:
            proof, email = one.get("verification"), one.get("email_address")
            confirmed = isinstance(proof, dict) and proof.get("status") == "verified"
            return email if confirmed and isinstance(email, str) else None
    return None


def _word(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(value)
    return value
