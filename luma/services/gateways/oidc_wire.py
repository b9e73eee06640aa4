"""How identity providers are asked: briefly, without redirects, and with little memory."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from luma.errors import ServiceDown

TIMEOUT = 5.0
"""Seconds for each step of an answer: connection, first byte, next byte."""

WHOLE = 10.0
"""Seconds for an answer that drips."""

MOST_BYTES = 512 * 1024


class ProviderDown(ServiceDown):
    """No answer that could be used; asking again later may bring one."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"{label} does not answer right now. Try again in a minute, or use your password."
        )


class NoAnswer(Exception):
    """Nothing came, too much, too late, or a redirect."""


class ClientAuth(Protocol):
    """Authlib's: puts the client's secret into a request."""

    def prepare(
        self, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]: ...


class Wire:
    """What Authlib's client sends its requests through."""

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth
    ) -> httpx.Response:
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return sent("POST", url, headers, body)


def document(url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A JSON object from there. Raises NoAnswer for anything else."""
    answer = sent("GET", url, {"Accept": "application/json", **(headers or {})})
    if answer.status_code != 200:
        raise NoAnswer(f"status {answer.status_code}")
    try:
        found = answer.json()
    except (ValueError, RecursionError) as error:
        raise NoAnswer("not JSON") from error
    if not isinstance(found, dict):
        raise NoAnswer("not an object")
    return found


def sent(
    method: str, url: str, headers: Mapping[str, str], body: str | None = None
) -> httpx.Response:
    try:
        with _client().stream(method, url, headers=headers, content=body) as answer:
            if answer.is_redirect:
                raise NoAnswer("a redirect")
            content = _read(answer)
            kind = {"Content-Type": answer.headers.get("Content-Type", "")}
            return httpx.Response(
                answer.status_code, headers=kind, content=content, request=answer.request
            )
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NoAnswer(type(error).__name__) from error


def _read(answer: httpx.Response) -> bytes:
    content, end = bytearray(), time.monotonic() + WHOLE
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            raise NoAnswer("too long")
        if time.monotonic() > end:
            raise NoAnswer("too slow")
    return bytes(content)


@cache
def _client() -> httpx.Client:
    """One for all, because its certificates take time to load; it keeps no connection open."""
    return httpx.Client(
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
        headers={"Accept-Encoding": "identity", "User-Agent": "LUMA"},
    )
