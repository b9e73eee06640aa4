"""How much one address, one socket and one request may ask for.

The numbers are read when they are used, so a load test may raise them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Scope

from luma.errors import TooLarge, TooMany

BODY_BYTES = 2**20
UPLOAD_BYTES = 32 * 2**20
"""The most an upload box may allow itself."""

FILES_AT_ONCE = 10
"""For an upload box that takes several and does not say how many."""

PAGES_PER_SECOND = 5.0
PAGES_AT_ONCE = 20
SOCKETS_PER_ADDRESS = 40
FRAMES_PER_SECOND = 40.0
FRAMES_AT_ONCE = 120
PUSHING_SECONDS = 5.0
"""How long a socket may keep sending faster than that before it is cut off."""

COME_BACK_SECONDS = 2
ADDRESSES_KEPT = 10_000

NICEGUI_PAGES = ("/studio", "/learn", "/account", "/admin")
"""Each costs the server a hundred times what a plain page costs."""


_ROUNDING = 1e-6


class Pace:
    """A token bucket: so many at once, then so many a second."""

    __slots__ = ("_due", "_slack", "_step")

    def __init__(self, per_second: float, at_once: int) -> None:
        self._step = 1 / per_second
        self._slack = (at_once - 1) * self._step
        self._due = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more is in order; 0.0 when it is."""
        wait = self._due - self._slack - now
        return wait if wait > _ROUNDING else 0.0

    def count(self, now: float) -> None:
        self._due = max(self._due, now) + self._step

    def is_idle(self, now: float) -> bool:
        return self._due <= now


_pages: dict[str, Pace] = {}
_sockets: Counter[str] = Counter()


def count_page(scope: Scope, clock: Callable[[], float] = time.monotonic) -> None:
    """Raise TooMany when this address opens NiceGUI pages faster than people do."""
    if not _is_nicegui_page(scope):
        return
    now = clock()
    pace = _pace_of(address(scope), now)
    if pace.wait(now):
        raise TooMany(
            "Your network opened many pages at once. This one opens by itself in a moment."
        )
    pace.count(now)


def seat(scope: Scope) -> AbstractContextManager[None]:
    """A place among the sockets of one address, until left. Raises TooMany when all are taken."""
    owner = address(scope)
    if _sockets[owner] >= SOCKETS_PER_ADDRESS:
        raise TooMany("Too many windows are open from your network.")
    return _seated(owner)


def check_length(scope: Scope, most_bytes: int) -> None:
    """Raise TooLarge when the request says that its body is longer."""
    said = Headers(scope=scope).get("content-length", "")
    if said.isdecimal() and int(said) > most_bytes:
        raise TooLarge(f"This is more than fits: at most {most_bytes / 2**20:.3g} MB at once.")


def bounded(app: ASGIApp, most_bytes: int) -> ASGIApp:
    """A body of unsaid length is cut at this many bytes, and answered with 413."""
    return RequestBodyLimitMiddleware(app, most_bytes)


def address(scope: Scope) -> str:
    """Whom to count: one IPv4 address, or the IPv6 network that one household gets."""
    host: str = (scope.get("client") or ("", 0))[0]
    if ":" not in host:
        return host
    try:
        return str(ip_network((ip_address(host), 64), strict=False))
    except ValueError:
        return host


def _is_nicegui_page(scope: Scope) -> bool:
    if scope["method"] not in {"GET", "HEAD"}:
        return False
    path: str = scope["path"]
    return any(path == page or path.startswith(f"{page}/") for page in NICEGUI_PAGES)


def _pace_of(owner: str, now: float) -> Pace:
    if len(_pages) >= ADDRESSES_KEPT:
        for idle in [known for known, pace in _pages.items() if pace.is_idle(now)]:
            del _pages[idle]
    if owner not in _pages:
        _pages[owner] = Pace(PAGES_PER_SECOND, PAGES_AT_ONCE)
    return _pages[owner]


@contextmanager
def _seated(owner: str) -> Iterator[None]:
    _sockets[owner] += 1
    try:
        yield
    finally:
        _sockets[owner] -= 1
        if not _sockets[owner]:
            del _sockets[owner]
