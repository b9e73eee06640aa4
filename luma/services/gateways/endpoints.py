"""Where a gateway sends its events: what is set up there, in the same words for every gateway."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from luma.errors import LumaError
from luma.services.gateways.protocol import Door

EVERYTHING = "*"


class NotPermitted(LumaError):
    """Today's key may take money, and may not look at addresses or change them."""

    status = 403


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that events are sent to."""

    endpoint_id: str
    url: str
    is_enabled: bool
    is_thin: bool
    release: str
    """Of the gateway's interface, in which its events speak; empty for the account's own."""
    types: frozenset[str]

    def lacks(self, types: Iterable[str]) -> list[str]:
        return [] if EVERYTHING in self.types else sorted(set(types) - self.types)


class Endpoints(Protocol):
    """All of it waits for the network, and raises GatewayDown, GatewayRefused or NotPermitted."""

    def listed(self, *, with_thin: bool) -> list[Endpoint]:
        """Those of everybody on the account. Thin ones are another list: a call, and a right."""

    def mend(self, endpoint: Endpoint, types: Iterable[str]) -> None:
        """Switch it on, and have it send these too. Doing it twice is harmless."""

    def create(self, door: Door, url: str, types: Iterable[str], key: str) -> str:
        """Returns the secret that it signs with, which is told this once."""
