"""What NiceGUI does for every page, done for less. Tried with the version the guard insists on."""

from collections.abc import Callable, Coroutine
from functools import lru_cache, wraps
from types import FunctionType, MethodType
from typing import Any

import nicegui
from nicegui import helpers
from nicegui.middlewares import RedirectWithPrefixMiddleware, SetCacheControlMiddleware
from nicegui.outbox import Outbox

from luma.pages.packed import KeptByBrowsers

Loop = Callable[[Outbox], Coroutine[Any, Any, None]]

COSTLY: tuple[object, ...] = (RedirectWithPrefixMiddleware, SetCacheControlMiddleware)
"""Each passes every request through a task of its own. No prefix comes past the guard, and what
the other one says `KeptByBrowsers` says."""

_is_thrifty = False


def begin() -> None:
    """After `ui.run_with`. Twice changes nothing."""
    global _is_thrifty  # noqa: PLW0603  (one NiceGUI per process)
    inside = nicegui.app.user_middleware
    inside[:] = [one for one in inside if one.cls not in COSTLY]
    nicegui.app.add_middleware(KeptByBrowsers)
    if _is_thrifty:
        return
    _is_thrifty = True
    Outbox.loop = _once_connected(Outbox.loop)  # type: ignore[assignment, method-assign]
    helpers.expects_arguments = _remembered(helpers.expects_arguments)


def _once_connected(loop: Loop) -> Loop:
    """A page whose socket has not come, or never will, looked for it ten times a second."""

    @wraps(loop)
    async def patient(outbox: Outbox) -> None:
        if not outbox._should_stop:
            await outbox.client._connected.wait()  # set by a handshake and by the page's end
        await loop(outbox)

    return patient


def _remembered(expects_arguments: Callable[..., bool]) -> Callable[..., bool]:
    """Signatures of methods are read once: every element asks for three of them."""

    @lru_cache(maxsize=512)
    def of_method(function: FunctionType) -> bool:
        return expects_arguments(MethodType(function, object()))

    @wraps(expects_arguments)
    def remembered(handler: Callable[..., object]) -> bool:
        if type(handler) is MethodType and type(handler.__func__) is FunctionType:
            return of_method(handler.__func__)
        return expects_arguments(handler)

    return remembered
