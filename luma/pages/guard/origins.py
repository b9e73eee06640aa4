"""Who is asking: the address behind a proxy, the name it came by, the page it came from."""

from contextlib import suppress
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from luma.errors import LumaError, NotAllowed
from luma.pages.guard.rules import Network, Rules

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
HEALTH = {"/healthz", "/readyz"}
"""Asked by watchdogs, by whatever name."""
MACHINES = "/webhooks/"
"""What comes here is signed; it has no origin and is called by any name."""

_HERE_ONLY = "This did not come from a page of this school. Open the page again and try once more."


def settle_sender(scope: Scope, proxy: Network | None) -> None:
    """Take the address and scheme from the trusted proxy; nobody downstream sees what was said.

    X-Forwarded-Prefix is dropped whoever sent it: NiceGUI puts it into every address of a page.
    """
    kept, said = [], {}
    for name, value in scope["headers"]:
        if name.startswith(b"x-forwarded-") or name == b"forwarded":
            said[name] = value.decode("latin-1")
        else:
            kept.append((name, value))
    if not said:
        return
    scope["headers"] = kept
    if _is_from(proxy, scope):
        _believe(scope, said)


def check_request(scope: Scope, rules: Rules) -> None:
    """Raise LumaError for a foreign name, NotAllowed for a change asked from another site."""
    path = scope["path"]
    if path in HEALTH or path.startswith(MACHINES):
        return
    headers = Headers(scope=scope)
    origin = _own_origin(headers, rules)
    if scope["method"] not in SAFE_METHODS and not _is_from_here(headers, origin):
        raise NotAllowed(_HERE_ONLY)


def check_socket(scope: Scope, rules: Rules) -> None:
    """Browsers name their origin at every handshake; programs need not and gain nothing by it."""
    headers = Headers(scope=scope)
    if headers.get("origin") not in (None, _own_origin(headers, rules)):
        raise NotAllowed(_HERE_ONLY)


def _own_origin(headers: Headers, rules: Rules) -> str:
    names = headers.getlist("host")
    origin = rules.origins.get(names[0].lower()) if len(names) == 1 else None
    if origin is None:
        raise LumaError("There is no school at this address.")
    return origin


def _is_from_here(headers: Headers, origin: str) -> bool:
    sender = headers.get("origin")
    if sender is None:
        return headers.get("sec-fetch-site") == "same-origin"
    return sender == origin


def _is_from(proxy: Network | None, scope: Scope) -> bool:
    if proxy is None or scope.get("client") is None:
        return False
    try:
        return ip_address(scope["client"][0]) in proxy
    except ValueError:
        return False


def _believe(scope: Scope, said: dict[bytes, str]) -> None:
    """The last address in the list is the one the proxy itself saw."""
    address = said.get(b"x-forwarded-for", "").rpartition(",")[2].strip()
    with suppress(ValueError):
        scope["client"] = (str(ip_address(address)), 0)
    scheme = said.get(b"x-forwarded-proto", "").rpartition(",")[2].strip()
    if scheme in {"http", "https"}:
        is_socket = scope["type"] == "websocket"
        scope["scheme"] = scheme.replace("http", "ws") if is_socket else scheme
