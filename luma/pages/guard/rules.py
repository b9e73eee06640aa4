"""What the guard was told: by which names it is reached, and how a session is known."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from luma.errors import LumaError

Network = IPv4Network | IPv6Network
Answer = Callable[[Request, LumaError], Response]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Rules:
    origins: Mapping[str, str]
    """From a Host header to the origin that a browser there sends."""
    is_secure: bool
    proxy: Network | None
    frame_origin: str
    checkout_origin: str
    session_of: Callable[[Mapping[str, str]], str | None]
    is_alive: Callable[[str], Awaitable[bool]]
    answer: Answer


def doors(*origins: str) -> dict[str, str]:
    """Every Host header that means one of these origins. One loopback name stands for all."""
    return {host: origin for address in origins for host, origin in _doors(address.lower())}


def network(address: str | None) -> Network | None:
    """One address or a range such as 10.0.0.0/8. Raises ValueError."""
    return ip_network(address, strict=False) if address else None


def plain_answer(request: Request, refusal: LumaError) -> Response:
    """A refusal in words, for browsers and for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(str(refusal), refusal.status)
    sentence = escape(str(refusal))
    page = f"<!doctype html><html lang='en'><title>LUMA</title><p>{sentence}</p></html>"
    return HTMLResponse(page, refusal.status)


def _doors(origin: str) -> list[tuple[str, str]]:
    parts = urlsplit(origin)
    usual = PORTS[parts.scheme]
    port = parts.port or usual
    name = parts.netloc.removesuffix(f":{parts.port}")
    found = []
    for host in LOOPBACK if name in LOOPBACK else (name,):
        address = host if port == usual else f"{host}:{port}"
        found.append((address, f"{parts.scheme}://{address}"))
        found.append((f"{host}:{port}", f"{parts.scheme}://{address}"))
    return found
