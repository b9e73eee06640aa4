"""NiceGUI's socket, so that a message acts only for the page and the session it belongs to.

A client id in a page's address is as good as a key in plain NiceGUI. Here it opens nothing
without the cookie of the session that got the page, and that session must still live.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core
from nicegui.element import Element
from socketio.exceptions import ConnectionRefusedError as Refused  # type: ignore[import-untyped]
from starlette.requests import cookie_parser

from luma.pages.guard import frames, lives, noise
from luma.pages.guard.rules import Rules

_Handler = Callable[[str, dict[str, Any]], Awaitable[object]]

_is_guarded = False


def watch(rules: Rules) -> None:
    """Stand between the socket and NiceGUI. A second call only brings new rules."""
    global _is_guarded  # noqa: PLW0603  (NiceGUI has one socket server per process)
    lives.learn(rules)
    core.sio.eio.cors_allowed_origins = sorted(set(rules.origins.values()))
    core.sio.eio.transports = ["websocket"]
    core.app.config.socket_io_js_transports = ["websocket"]
    if not _is_guarded:
        _is_guarded = True
        frames.guard()
        _guard_handlers()
    _guard_handshake(rules)


def is_out_of_reach(element: Element) -> bool:
    """Whether a person could not have used it: it, or something around it, is hidden or off."""
    around: Element | None = element
    while around is not None:
        if around.is_ignoring_events:
            return True
        slot = around.parent_slot
        around = slot.parent if slot else None
    return False


def _guard_handlers() -> None:
    handlers = core.sio.handlers["/"]
    handlers["connect"] = _careful_connect(handlers["connect"])
    handlers["handshake"] = _careful(_typed_handshake(handlers["handshake"]))
    handlers["event"] = _careful(_event)
    handlers["ack"] = _careful(_ack)
    handlers["javascript_response"] = _careful(_javascript_response)
    handlers["log"] = _careful(_log)


def _guard_handshake(rules: Rules) -> None:
    accept = getattr(Client.accept_handshake, "__wrapped__", Client.accept_handshake)

    @wraps(accept)
    def accept_same_session(
        client: Client, socket_id: str, tab_id: str, environ: dict[str, Any] | None
    ) -> bool:
        if environ is not None and lives.session_key(client) != _key_of(environ, rules):
            noise.foreign.count()
            return False
        return bool(accept(client, socket_id, tab_id, environ))

    Client.accept_handshake = accept_same_session  # type: ignore[method-assign,assignment]


def _careful_connect(connect: _Handler) -> Callable[..., Awaitable[None]]:
    """A connection that fails half-way would keep its page in memory for ever: look first."""

    async def looked_at(sid: str, environ: dict[str, Any], _auth: object = None) -> None:
        asked = parse_qs(environ.get("QUERY_STRING", ""))
        query = {name: values[0] for name, values in asked.items()}
        if query.get("implicit_handshake") == "true" and not _is_handshake(query):
            noise.malformed.count()
            raise Refused
        await connect(sid, environ)

    return looked_at


def _typed_handshake(handshake: _Handler) -> _Handler:
    async def looked_at(sid: str, message: dict[str, Any]) -> object:
        if _is_handshake(message):
            return await handshake(sid, message)
        noise.malformed.count()
        return False

    return looked_at


def _careful(handler: _Handler) -> _Handler:
    async def without_flood(sid: str, message: dict[str, Any]) -> object:
        try:
            return await handler(sid, message)
        except (KeyError, TypeError, ValueError, RuntimeError):
            noise.malformed.count()
            return None

    return without_flood


async def _event(sid: str, message: dict[str, Any]) -> None:
    client = _owner(sid, message)
    if client is None or not _is_typed(message, id=int, listener_id=str, args=list):
        return
    if not await _may_act(client):
        return
    element = client.elements.get(message["id"])
    if element is not None and not is_out_of_reach(element):
        client.handle_event(message)


async def _ack(sid: str, message: dict[str, Any]) -> None:
    client = _owner(sid, message)
    if client is not None and _is_typed(message, next_message_id=int):
        client.outbox.prune_history(message["next_message_id"])


async def _javascript_response(sid: str, message: dict[str, Any]) -> None:
    client = _owner(sid, message)
    if client is None or not _is_typed(message, request_id=str):
        return
    if await _may_act(client):
        client.handle_javascript_response(message)


async def _log(_sid: str, _message: dict[str, Any]) -> None:
    """A browser has nothing to write into the server's log."""


async def _may_act(client: Client) -> bool:
    """Without an answer from the database nothing is done, and the page says so."""
    try:
        return await lives.is_live(client)
    except Exception as error:
        with client:
            core.app.handle_exception(error)
        return False


def _owner(sid: str, message: dict[str, Any]) -> Client | None:
    """The page that is spoken of, if this socket is its own."""
    client = Client.instances.get(message["client_id"])
    if client is None:
        return None
    if sid not in client._socket_to_document_id:
        noise.foreign.count()
        return None
    return client


def _key_of(environ: dict[str, Any], rules: Rules) -> str | None:
    return rules.session_of(cookie_parser(environ.get("HTTP_COOKIE", "")))


def _is_handshake(message: dict[str, Any]) -> bool:
    named = all(isinstance(message.get(n), str) for n in ("client_id", "tab_id", "document_id"))
    next_id = message.get("next_message_id", 0)
    is_number = type(next_id) is int or (isinstance(next_id, str) and _is_short_number(next_id))
    return named and is_number


def _is_short_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _is_typed(message: dict[str, Any], **kinds: type) -> bool:
    if all(type(message.get(name)) is kind for name, kind in kinds.items()):
        return True
    noise.malformed.count()
    return False
