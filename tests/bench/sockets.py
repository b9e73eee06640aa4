"""Students and instructors as their open pages: real sockets, without browsers around them."""

import asyncio
import html
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.bench import seed
from tests.bench.processes import Served

CLIENT = re.compile(r"[\"']client_id[\"']: [\"']([^\"']+)")
ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
PATIENCE = 30

_tabs = count(1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A page as its HTML describes it."""

    client_id: str
    elements: dict[str, dict[str, Any]]

    def listener(self, event: str) -> tuple[int, str]:
        """The element that listens to `event`, and by which name."""
        return next(
            (int(number), listener["listener_id"])
            for number, element in self.elements.items()
            for listener in element.get("events", ())
            if listener["type"] == event
        )


def read(source: str) -> Opened:
    client, elements = CLIENT.search(source), ELEMENTS.search(source)
    assert client, "the page is not NiceGUI's"
    assert elements, "the page has no elements"
    return Opened(client[1], json.loads(html.unescape(elements[1])))


@dataclass
class Person:
    """Somebody with a page open."""

    page: Opened
    socket: ClientConnection
    heard: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def goes_to(self, lesson: str, turn: int) -> float:
        """Seconds until the lesson is there. `turn` tells the answer from others."""
        return await self.wish("openLesson", {"lesson": lesson, "turn": turn}, f"[{turn},")

    async def wish(self, event: str, argument: object, answer: str) -> float:
        """Seconds from an event to the message that has `answer` in it."""
        element, listener = self.page.listener(event)
        message = {
            "id": element,
            "client_id": self.page.client_id,
            "listener_id": listener,
            "args": [json.dumps(argument)],
        }
        begun = time.perf_counter()
        await self.socket.send(f"42{json.dumps(['event', message])}")
        async with asyncio.timeout(PATIENCE):
            while answer not in await self._message():
                pass
        return time.perf_counter() - begun

    async def _message(self) -> str:
        message = str(await self.socket.recv())
        if message == "2":
            await self.socket.send("3")
        if message.startswith("42"):
            self.heard += 1
            seen = {"client_id": self.page.client_id, "next_message_id": self.heard}
            await self.socket.send(f"42{json.dumps(['ack', seen])}")
        return message


async def entered(served: Served, path: str, email: str) -> Person:
    """Open a page and its socket, as a browser does."""
    cookie = {"Cookie": f"luma={seed.token(email)}"}
    async with httpx.AsyncClient(headers=cookie, timeout=PATIENCE, trust_env=False) as browser:
        answer = await browser.get(served.url + path)
        answer.raise_for_status()
    page = read(answer.text)
    query = (
        f"EIO=4&transport=websocket&client_id={page.client_id}&tab_id=tab{next(_tabs)}"
        "&next_message_id=0&document_id=document&implicit_handshake=true"
    )
    address = f"{served.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?{query}"
    headers = {**cookie, "Origin": served.url}
    socket = await connect(address, additional_headers=headers, max_queue=None, ping_interval=None)
    await socket.recv()
    await socket.send("40")
    answered = str(await socket.recv())
    assert answered.startswith("40"), answered
    return Person(page, socket)


@asynccontextmanager
async def crowd(
    served: Served, path: str, emails: list[str], *, at_once: int = 8
) -> AsyncIterator[list[Person]]:
    """All of them, with the page open; gone at the end."""
    turns = asyncio.Semaphore(at_once)

    async def enter(email: str) -> Person:
        async with turns:
            return await entered(served, path, email)

    people = await asyncio.gather(*map(enter, emails))
    yield list(people)
    await asyncio.gather(*(person.socket.close() for person in people))
