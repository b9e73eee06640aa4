"""What an attacker has: a browser's requests, NiceGUI's page source, and sockets to write into."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

_addresses = count(1)


@dataclass
class Server:
    """One of the two servers. Every visitor comes from an address of its own."""

    port: int
    is_guarded: bool
    log: Path
    http: httpx.Client

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def visitor(self, name: str | None = None) -> "Visitor":
        return Visitor(self, name)

    def state(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.http.get("/state").json()
        return seen

    @property
    def done(self) -> list[str]:
        presses: list[str] = self.state()["done"]
        return presses

    def control(self, what: str, key: str) -> None:
        self.http.get(f"/control/{what}/{key}").raise_for_status()

    def lines(self) -> int:
        return len(self.log.read_text().splitlines())


@dataclass
class Page:
    """A NiceGUI page as its source tells it: the client id, and every element with its events."""

    client_id: str
    elements: dict[str, dict[str, Any]]

    def event(self, label: str, kind: str = "click", *args: object) -> dict[str, Any]:
        """The message that a browser sends when a person uses the element with this label."""
        number, element = next(
            (number, element)
            for number, element in self.elements.items()
            if element.get("props", {}).get("label") == label
        )
        listener = next(event for event in element["events"] if event["type"] == kind)
        return {
            "id": int(number),
            "client_id": self.client_id,
            "listener_id": listener["listener_id"],
            "args": [json.dumps(argument) for argument in args],
        }

    def upload_path(self, label: str = "Picture") -> str:
        path: str = next(
            element["props"]["url"]
            for element in self.elements.values()
            if element.get("props", {}).get("label") == label
        )
        return path


@dataclass
class Visitor:
    server: Server
    name: str | None = None
    address: str = field(default_factory=lambda: f"10.0.{next(_addresses)}.1")

    @property
    def headers(self) -> dict[str, str]:
        cookie = {"Cookie": f"luma={self.name}"} if self.name else {}
        return {"X-Forwarded-For": self.address, **cookie}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.server.http.get(path, headers=self.headers | headers)

    async def rush(self, path: str, times: int, **headers: str) -> list[httpx.Response]:
        """Many requests at once."""
        async with httpx.AsyncClient(base_url=self.server.origin, timeout=30) as browser:
            wishes = [browser.get(path, headers=self.headers | headers) for _ in range(times)]
            return await asyncio.gather(*wishes)

    def post(self, path: str, *, origin: str | None = None, **request: Any) -> httpx.Response:
        headers = self.headers | {"Origin": origin or self.server.origin}
        return self.server.http.post(path, headers=headers, **request)

    def open(self, path: str = "/studio/press") -> Page:
        source = self.get(path).text
        client_id = re.search(r"'client_id': '([^']+)'|\"client_id\": \"([^\"]+)\"", source)
        elements = re.search(r"parseElements\(String\.raw`(.*?)`\)", source, re.DOTALL)
        assert client_id, source[:500]
        assert elements
        found = json.loads(html.unescape(elements[1]))
        return Page(client_id[1] or client_id[2], found)

    @asynccontextmanager
    async def line(self, page: Page | None = None, **options: Any) -> "AsyncIterator[Line]":
        """A socket, shaking hands for `page`, or for none."""
        query = "EIO=4&transport=websocket"
        if page is not None:
            query += (
                f"&client_id={page.client_id}&tab_id={options.get('tab', 'tab')}"
                f"&next_message_id={options.get('next_message_id', 0)}"
                "&document_id=document&implicit_handshake=true"
            )
        headers = self.headers | {"Origin": options.get("origin", self.server.origin)}
        address = f"ws://127.0.0.1:{self.server.port}/_nicegui_ws/socket.io/?{query}"
        async with connect(address, additional_headers=headers, max_queue=None) as socket:
            line = Line(socket)
            await line.shake(patience=options.get("patience", 10))
            yield line
            socket.transport.abort()


@dataclass
class Line:
    """A socket that speaks Socket.IO just well enough to attack."""

    socket: ClientConnection
    is_accepted: bool = False
    heard: list[str] = field(default_factory=list)

    async def shake(self, patience: float) -> None:
        await self.socket.recv()
        await self.socket.send("40")
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                self.is_accepted = str(await self.socket.recv()).startswith("40")

    async def say(self, kind: str, message: object) -> None:
        await self.socket.send(f"42{json.dumps([kind, message])}")

    async def settle(self) -> None:
        """Return once the server has read what was said so far."""
        await (await self.socket.ping())
        await asyncio.sleep(0.05)

    async def hears(self, word: str) -> str:
        """The next message that has `word` in it."""
        async with asyncio.timeout(10):
            while word not in (message := str(await self.socket.recv())):
                self.heard.append(message)
        return message


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so; fail after ten seconds."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  (what is waited for happens in another process)
            await asyncio.sleep(0.02)
