"""What a socket may carry, and how fast: all else is counted and dropped, never a traceback."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from nicegui import core
from starlette.types import Message, Receive

from luma.pages.guard import limits, noise

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

MESSAGES = {"handshake", "event", "ack", "javascript_response", "log"}
"""What a page may say. `connect` and `disconnect` are not for a client to call by name."""

_ENGINE_KINDS = frozenset("12345")
"""What a browser sends: close, ping, pong, message, upgrade."""

_MESSAGE_KINDS = frozenset("0123")
"""Connect, disconnect, event, acknowledgement; never with bytes attached."""


def paced(receive: Receive) -> Receive:
    """A socket's frames, no faster than a person can cause them and only of known kinds.

    Waiting here fills the sender's buffers, not the event loop. Who keeps it waiting is cut off.
    """
    turnstile = Turnstile()

    async def next_frame() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if not await turnstile.lets_through():
                noise.floods.count()
                return {"type": "websocket.disconnect", "code": 1008}
            if (message.get("text") or "")[:1] in _ENGINE_KINDS:
                return message
            noise.malformed.count()

    return next_frame


class Turnstile:
    """One at a time, at a pace; no more for who has pushed without a pause for too long."""

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._pace = limits.Pace(limits.FRAMES_PER_SECOND, limits.FRAMES_AT_ONCE)
        self._clock, self._sleep = clock, sleep
        self._calm_at = clock()

    async def lets_through(self) -> bool:
        now = self._clock()
        wait = self._pace.wait(now)
        self._pace.count(now)
        if not wait:
            self._calm_at = now
            return True
        await self._sleep(wait)
        return now - self._calm_at < limits.PUSHING_SECONDS


def guard() -> None:
    """Stand between Engine.IO, Socket.IO and NiceGUI's handlers."""
    sio = core.sio
    read_message, read_event = sio.eio.handlers["message"], sio._handle_event

    async def message(eio_sid: str, data: object) -> None:
        if not isinstance(data, str) or data[:1] not in _MESSAGE_KINDS:
            noise.malformed.count()
            return
        try:
            await read_message(eio_sid, data)
        except Exception:
            noise.malformed.count()

    async def event(eio_sid: str, namespace: str | None, ack: int | None, data: object) -> None:
        if namespace in (None, "/") and _is_message(data):
            await read_event(eio_sid, namespace, ack, data)
        else:
            noise.malformed.count()

    sio.eio.handlers["message"] = message
    sio._handle_event = event


def _is_message(data: object) -> bool:
    return (
        isinstance(data, list)
        and len(data) == 2
        and isinstance(data[0], str)
        and data[0] in MESSAGES
        and isinstance(data[1], dict)
    )
