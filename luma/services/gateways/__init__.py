"""The outside world, one file each."""

from luma.services.gateways import sandbox, stripe
from luma.services.gateways.protocol import Gateway
from luma.settings import settings

NAMES = {"stripe": "Stripe", "sandbox": "The sandbox"}
"""At the beginning of a sentence; INSIDE is inside one."""

INSIDE = {"stripe": "Stripe", "sandbox": "the sandbox"}


def current() -> Gateway:
    """Stripe when there is a key; without one the sandbox, in which no money moves."""
    return sandbox if settings().uses_sandbox else stripe
