"""NiceGUI's own files, compressed once and kept: they cost more CPU than the pages otherwise."""

import gzip

import nicegui
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luma.pages.assets import FOREVER

MOST_FILES = 200
VERSION = f"/_nicegui/{nicegui.__version__}/"
FILES = tuple(
    f"{VERSION}{kind}/" for kind in ("static", "components", "libraries", "esm", "resources")
)
MADE_ANEW = f"{VERSION}dynamic_resources/"

Answer = tuple[list[tuple[bytes, bytes]], bytes]


class PackedOnce:
    """What such an address has never changes, so it is compressed at the first visit.

    It stands outside of NiceGUI, which then hears of each file once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_file(scope):
            await self.app(scope, receive, send)
        elif (path := scope["path"]) in self.kept:
            await _answer(send, *self.kept[path])
        else:
            await self.app(_unpacked(scope), receive, _Packing(send, self.kept, path).take)


class KeptByBrowsers:
    """The addresses of NiceGUI's files have its version in them: what they hold never changes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_kept = path.startswith(VERSION) and not path.startswith(MADE_ANEW)
        await self.app(scope, receive, _saying_so(send) if is_kept else send)


def _saying_so(send: Send) -> Send:
    async def with_header(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            headers = MutableHeaders(raw=list(message["headers"]))
            headers["Cache-Control"] = FOREVER
            message["headers"] = headers.raw
        await send(message)

    return with_header


class _Packing:
    """Collects one answer, compresses it, keeps it if it may be kept, and sends it."""

    def __init__(self, send: Send, kept: dict[str, Answer], path: str) -> None:
        self.send, self.kept, self.path = send, kept, path
        self.start: Message = {}
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["type"] != "http.response.body":
            return
        self.body += message.get("body", b"")
        if message.get("more_body", False):
            return
        if self.start["status"] != 200 or not _is_text(self.start):
            await self.send(self.start)
            await self.send({"type": "http.response.body", "body": bytes(self.body)})
            return
        await self._pack()

    async def _pack(self) -> None:
        content = gzip.compress(bytes(self.body), 9, mtime=0)
        headers = MutableHeaders(raw=list(self.start["headers"]))
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(content))
        headers.add_vary_header("Accept-Encoding")
        if len(self.kept) < MOST_FILES and "set-cookie" not in headers:
            self.kept[self.path] = (headers.raw, content)
        await _answer(self.send, headers.raw, content)


async def _answer(send: Send, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
    await send({"type": "http.response.body", "body": content})


def _is_file(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: str = scope["path"]
    return path.startswith(FILES) and "gzip" in Headers(scope=scope).get("accept-encoding", "")


def _unpacked(scope: Scope) -> Scope:
    """The same wish, without leave to compress the answer or to send a part of it."""
    dropped = (b"accept-encoding", b"range")
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}


def _is_text(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return kind.startswith("text/") or "javascript" in kind or "json" in kind or "svg" in kind
