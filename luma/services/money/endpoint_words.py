"""What is right and wrong with an address that the gateway sends events to, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from luma.services.gateways import events
from luma.services.gateways.endpoints import Endpoint
from luma.services.gateways.protocol import Door

TITLES = {
    Door.PLATFORM: "Payments, refunds and disputes",
    Door.CONNECT: "Payouts to instructors' banks",
    Door.THIN: "Changes of instructors' accounts",
}

VARIABLES = {
    Door.PLATFORM: "LUMA_STRIPE_WEBHOOK_SECRET",
    Door.CONNECT: "LUMA_STRIPE_CONNECT_SECRET",
    Door.THIN: "LUMA_STRIPE_THIN_SECRET",
}

MOST_NAMED = 3


class Standing(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    SLOW = "slow"
    """It works, with more to ask for than there need be."""
    NOT_NEEDED = "not_needed"
    BY_HAND = "by_hand"
    """Nobody outside reaches this machine, so events are forwarded to it."""
    MISSING = "missing"


class Cure(StrEnum):
    """What LUMA can do about it by itself."""

    REPAIR = "repair"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Verdict:
    door: Door
    title: str
    url: str
    standing: Standing
    words: tuple[str, ...]
    cure: Cure | None = None
    types: tuple[str, ...] = ()
    """To copy, where somebody sets it up by hand."""

    @property
    def is_bad(self) -> bool:
        return self.standing in (Standing.WRONG, Standing.MISSING)


def of_found(door: Door, here: Sequence[Endpoint], *, secret_is_known: bool) -> Verdict:
    """The first of `here` is the best of them."""
    best = here[0]
    broken = list(_broken(door, best))
    if broken:
        broken.append("Press Repair at Stripe.")
    words = [*broken, *_without_secret(door, secret_is_known), *_notes(here)]
    standing = Standing.RIGHT if not words else Standing.SLOW
    if broken or not secret_is_known:
        standing = Standing.WRONG
    return Verdict(
        door,
        TITLES[door],
        best.url,
        standing,
        tuple(words) or ("It sends everything that LUMA acts on.",),
        Cure.REPAIR if broken else None,
    )


def missing(door: Door, url: str, strange: Sequence[str]) -> Verdict:
    words = (
        *(f"Stripe sends to {one}, which is another address." for one in strange[:1]),
        "Stripe has no endpoint for this address. Create it here, or in Stripe's dashboard with "
        f"the events below, and set {VARIABLES[door]} to its signing secret.",
    )
    return _of(door, url, Standing.MISSING, words, Cure.CREATE)


def at_home(door: Door, url: str) -> Verdict:
    words = (
        "Stripe cannot reach this machine from outside. Forward its events with the command "
        f"stripe listen --forward-to {url}, or set LUMA_BASE_URL to a public address.",
    )
    return _of(door, url, Standing.BY_HAND, words)


def not_needed(door: Door, url: str) -> Verdict:
    words = ("Not needed until an instructor connects an account.",)
    return _of(door, url, Standing.NOT_NEEDED, words)


def _of(
    door: Door, url: str, standing: Standing, words: tuple[str, ...], cure: Cure | None = None
) -> Verdict:
    types = tuple(sorted(events.WANTED_AT[door])) if standing is Standing.MISSING else ()
    return Verdict(door, TITLES[door], url, standing, words, cure, types)


def _broken(door: Door, best: Endpoint) -> Iterator[str]:
    if not best.is_enabled:
        yield "It is switched off at Stripe: nothing arrives."
    if lacking := best.lacks(events.WANTED_AT[door]):
        yield f"It does not send {_named(lacking)}."


def _without_secret(door: Door, is_known: bool) -> Iterator[str]:
    if not is_known:
        yield (
            f"{VARIABLES[door]} is not set, so what arrives is refused. Set it to the signing "
            "secret that Stripe shows beside this endpoint, and start LUMA again."
        )


def _notes(here: Sequence[Endpoint]) -> Iterator[str]:
    if events.speaks_another_release(here[0].release):
        yield (
            "It sends events of another release of Stripe's interface, so LUMA asks Stripe for "
            "each of them again. A new endpoint would have the right one: create it, then delete "
            "this one."
        )
    if len(here) > 1:
        yield (
            f"Stripe has {len(here)} endpoints for this address: each event comes that often. "
            "Delete those whose secret is not in use."
        )


def _named(types: Sequence[str]) -> str:
    few = ", ".join(types[:MOST_NAMED])
    more = len(types) - MOST_NAMED
    return f"{few} and {more} more" if more > 0 else few
