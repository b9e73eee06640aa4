"""Stripe's own record of events, asked for when a delivery may have been missed."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from luma.services import clock
from luma.services.gateways import signatures
from luma.services.gateways.protocol import GatewayEvent, Unverified

if TYPE_CHECKING:
    from stripe.params import EventListParams

log = logging.getLogger(__name__)

WINDOW = 6 * 3600
"""Seconds of events that are held in memory to turn their order round."""

A_PAGE = 100

Ask = Callable[["EventListParams"], str]
Ensure = Callable[[GatewayEvent], None]


def oldest_first(
    ask: Ask, ensure_ours: Ensure, since: datetime, types: Sequence[str]
) -> Iterator[GatewayEvent]:
    """One window of time after the other, because Stripe lists the newest first.

    `ask` returns the body of one page: what the library makes of an event has decimals that
    JSON does not know, and the inbox keeps events as they came. The last window has no end:
    by a clock of ours that is slow, what has just happened is yet to come.
    """
    start, now = int(since.timestamp()), int(clock.now().timestamp())
    is_last = False
    while not is_last:
        end, created = start + WINDOW, {"gte": start}
        if not (is_last := end > now):
            created["lt"] = end
        listed = _window(ask, created, types)
        for one in reversed(list(listed)):
            if event := _taken(one, ensure_ours):
                yield event
        start = end


def _window(ask: Ask, created: dict[str, int], types: Sequence[str]) -> Iterator[dict[str, Any]]:
    within: Any = created
    wanted: EventListParams = {"created": within, "types": list(types), "limit": A_PAGE}
    is_more = True
    while is_more:
        page = json.loads(ask(wanted))
        yield from page["data"]
        is_more = bool(page["has_more"] and page["data"])
        if is_more:
            wanted["starting_after"] = page["data"][-1]["id"]


def _taken(one: dict[str, Any], ensure_ours: Ensure) -> GatewayEvent | None:
    """None for what would be refused if it were delivered: pulled it is worth no more."""
    try:
        event = signatures.read(json.dumps(one, separators=(",", ":")).encode(), "pull")
        ensure_ours(event)
    except Unverified as refusal:
        log.warning("a listed event is not taken", extra={"why": str(refusal)})
        return None
    return event
