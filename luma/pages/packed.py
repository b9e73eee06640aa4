"""NiceGUI's own files, compressed once and kept: they cost more CPU than the pages otherwise."""

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_FILES = 200
STATIC = "/_nicegui/"
UNPACKED = "/_nicegui_ws/"


class PackedOnce:
    """Files under /_nicegui/<version>/ never change, so each is compressed at its first visit.

    Everything else goes through Starlette's gzip at a middle level.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.pages = GZipMiddleware(app, minimum_size=500, compresslevel=5)
        self.kept: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNPACKED):
            await self.app(scope, receive, send)
        elif not scope["path"].startswith(STATIC) or not _wants_gzip(scope):
            await self.pages(scope, receive, send)
        elif (path := scope["path"]) in self.kept:
            await _answer(send, *self.kept[path])
        else:
            await self.app(scope, receive, _Packing(send, self.kept, path).take)


class _Packing:
    """Collects one answer, compresses it, keeps it if it may be kept, and sends it."""

    def __init__(
        self, send: Send, kept: dict[str, tuple[list[tuple[bytes, bytes]], bytes]], path: str
    ) -> None:
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
        if "immutable" in headers.get("cache-control", "") and len(self.kept) < MOST_FILES:
            self.kept[self.path] = (headers.raw, content)
        await _answer(self.send, headers.raw, content)


async def _answer(send: Send, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
    await send({"type": "http.response.body", "body": content})


def _wants_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("accept-encoding", "")


def _is_text(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return kind.startswith("text/") or "javascript" in kind or "json" in kind or "svg" in kind
