"""The session behind each open page: which it is, whether it lives, and its end."""

import asyncio
import time
from urllib.parse import quote
from weakref import WeakKeyDictionary

from nicegui import Client, background_tasks, core

from luma.pages.guard.rules import Rules

ALIVE_SECONDS = 5.0
"""How long an answer about a session holds. Ending it in this process needs no such wait."""

PARTING_SECONDS = 0.5
"""The tab that signed out is on its way elsewhere by then, and is not called back."""

FAREWELL_SECONDS = 1.0
"""What a page gets to leave by itself before its socket is cut."""


class Pulse:
    """What is known of one page's session."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.asked_at = float("-inf")
        self.is_ended = False


_rules: Rules | None = None
_pulses: WeakKeyDictionary[Client, Pulse] = WeakKeyDictionary()


def learn(rules: Rules) -> None:
    """From now on, know sessions by these rules."""
    global _rules  # noqa: PLW0603  (NiceGUI has one set of pages per process)
    _rules = rules


def session_key(client: Client) -> str | None:
    """The session that `client`'s page was served to. It never changes, and may have ended."""
    request = client._request
    if _rules is None or request is None:
        return None
    return _rules.session_of(request.cookies)


def end_session(key: str) -> None:
    """Stop the session's open pages now and send them to sign in. Any thread may call this."""
    if core.loop is None:
        return
    if _running_loop() is core.loop:
        _end(key)
    else:
        core.loop.call_soon_threadsafe(_end, key)


async def is_live(client: Client) -> bool:
    """Whether the page's session has not ended. Who asks first is answered first.

    A page that nobody was signed in for has no rights to lose. Raises what `is_alive` raises.
    """
    key = session_key(client)
    if key is None or _rules is None:
        return True
    pulse = _pulse(client)
    async with pulse.turn:
        if not pulse.is_ended and time.monotonic() - pulse.asked_at > ALIVE_SECONDS:
            alive = await _rules.is_alive(key)
            pulse.asked_at = time.monotonic()
            if not alive:
                _stop(client)
    return not pulse.is_ended


def _pulse(client: Client) -> Pulse:
    if client not in _pulses:
        _pulses[client] = Pulse()
    return _pulses[client]


def _end(key: str) -> None:
    for client in list(Client.instances.values()):
        if session_key(client) == key:
            _stop(client)


def _stop(client: Client) -> None:
    """Nothing the page sends is heard any more; a moment later it is told to leave."""
    pulse = _pulse(client)
    if not pulse.is_ended:
        pulse.is_ended = True
        asyncio.get_running_loop().call_later(PARTING_SECONDS, _send_away, client)


def _send_away(client: Client) -> None:
    if client.is_deleted or not client.has_socket_connection:
        _forget(client)
        return
    client.open(f"/sign-in?next={quote(client.request.url.path)}")
    asyncio.get_running_loop().call_later(FAREWELL_SECONDS, _forget, client)


def _forget(client: Client) -> None:
    """Delete the page and cut its sockets. A handshake for it is refused from now on."""
    if client.id not in Client.instances:
        return
    for document_id in list(client._delete_tasks):
        client._cancel_delete_task(document_id)
    for sid in list(client._socket_to_document_id):
        background_tasks.create(core.sio.disconnect(sid), name="cut the socket of an ended session")
    client.delete()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
