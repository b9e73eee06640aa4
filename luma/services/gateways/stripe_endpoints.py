"""Stripe's webhook endpoints, and its destinations of thin events. Called by stripe.py."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from luma.services.gateways.endpoints import EVERYTHING, Endpoint, NotPermitted
from luma.services.gateways.protocol import Door, GatewayRefused
from luma.services.gateways.stripe_refusals import asking

PAGE = 100
NAME = "LUMA"

OF_OTHERS = "@accounts"
"""Events of the accounts that belong to the platform, not of its own."""

NO_RIGHT = (
    "The Stripe key has no right to look at webhook endpoints. Give the restricted key "
    "“Webhook endpoints: write”, and “Event destinations: write” for payouts."
)


class StripeEndpoints:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def listed(self, *, with_thin: bool) -> list[Endpoint]:
        with _permitted("list endpoints"):
            pages = self._client.v1.webhook_endpoints.list({"limit": PAGE})
            found = [_endpoint(one.to_dict()) for one in pages.auto_paging_iter()]
            return [*found, *self._thin()] if with_thin else found

    def mend(self, endpoint: Endpoint, types: Iterable[str]) -> None:
        name, wanted = endpoint.endpoint_id, _together(endpoint, types)
        with _permitted("mend an endpoint"):
            if not endpoint.is_thin:
                changes: Any = {"enabled_events": wanted, "disabled": False}
                self._client.v1.webhook_endpoints.update(name, changes)
                return
            self._client.v2.core.event_destinations.update(name, {"enabled_events": wanted})
            if not endpoint.is_enabled:
                self._client.v2.core.event_destinations.enable(name)

    def create(self, door: Door, url: str, types: Iterable[str], key: str) -> str:
        made_once: Any = {"idempotency_key": key}
        with _permitted("create an endpoint"):
            if door is Door.THIN:
                thin: Any = _new_destination(url, types)
                made = self._client.v2.core.event_destinations.create(thin, made_once).to_dict()
                return _secret((made.get("webhook_endpoint") or {}).get("signing_secret"))
            plain: Any = _new_endpoint(door, url, types)
            made = self._client.v1.webhook_endpoints.create(plain, made_once).to_dict()
            return _secret(made.get("secret"))

    def _thin(self) -> Iterator[Endpoint]:
        """Those with full events are on the other list; some lead to no address at all."""
        pages = self._client.v2.core.event_destinations.list(
            {"limit": PAGE, "include": ["webhook_endpoint.url"]}
        )
        for one in pages.auto_paging_iter():
            found = one.to_dict()
            if found["event_payload"] == "thin" and found.get("webhook_endpoint"):
                yield _destination(found)


@contextmanager
def _permitted(what: str) -> Iterator[None]:
    """A restricted key that lacks a right is answered with 403 and no more."""
    try:
        with asking(what):
            yield
    except GatewayRefused as refusal:
        if isinstance(refusal.__cause__, stripe.PermissionError):
            raise NotPermitted(NO_RIGHT) from refusal
        raise


def _endpoint(found: dict[str, Any]) -> Endpoint:
    return Endpoint(
        endpoint_id=found["id"],
        url=found["url"],
        is_enabled=found["status"] == "enabled",
        is_thin=False,
        release=found.get("api_version") or "",
        types=frozenset(found["enabled_events"]),
    )


def _destination(found: dict[str, Any]) -> Endpoint:
    return Endpoint(
        endpoint_id=found["id"],
        url=found["webhook_endpoint"].get("url") or "",
        is_enabled=found["status"] == "enabled",
        is_thin=True,
        release=stripe.api_version,
        types=frozenset(found["enabled_events"]),
    )


def _together(endpoint: Endpoint, types: Iterable[str]) -> list[str]:
    """What somebody else has asked for stays."""
    return [EVERYTHING] if EVERYTHING in endpoint.types else sorted(endpoint.types | set(types))


def _new_endpoint(door: Door, url: str, types: Iterable[str]) -> dict[str, Any]:
    return {
        "url": url,
        "enabled_events": sorted(types),
        "api_version": stripe.api_version,
        "connect": door is Door.CONNECT,
        "description": NAME,
    }


def _new_destination(url: str, types: Iterable[str]) -> dict[str, Any]:
    return {
        "name": NAME,
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "events_from": [OF_OTHERS],
        "enabled_events": sorted(types),
        "webhook_endpoint": {"url": url},
        "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
    }


def _secret(told: object) -> str:
    if not isinstance(told, str) or not told:
        raise GatewayRefused
    return told
