import asyncio

import httpx
import nicegui
import pytest
from nicegui import Client, background_tasks, core, helpers
from nicegui.page import page
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from luma.pages import thrift
from luma.pages.packed import KeptByBrowsers

NICEGUI = f"/_nicegui/{nicegui.__version__}"


@pytest.fixture
async def opened(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A page that was served and whose socket has not come yet."""
    monkeypatch.setattr(nicegui.app, "user_middleware", [])
    thrift.begin()
    monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    return Client(page("", reconnect_timeout=3), request=Request(scope))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each look of a page for its socket."""
    seen: list[str] = []

    def has_socket_connection(client: Client) -> bool:
        seen.append(client.id)
        return client.tab_id is not None

    monkeypatch.setattr(Client, "has_socket_connection", property(has_socket_connection))
    return seen


async def test_a_page_that_nobody_connects_to_does_not_look_for_its_socket(
    opened: Client, looks: list[str]
) -> None:
    await asyncio.sleep(0.25)

    assert looks == []
    opened.delete()


async def test_what_was_said_before_the_socket_came_arrives_with_it(
    opened: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def emit(message_type: str, _data: object, room: str) -> None:
        sent.append(f"{message_type} to {room}")

    monkeypatch.setattr(core.sio, "emit", emit)
    opened.outbox.updates.clear()
    opened.outbox.enqueue_message("notify", {"message": "Welcome back."}, opened.id)

    await opened.handle_handshake("socket", "tab", None, "document", None)
    await asyncio.sleep(0.05)

    assert sent == [f"notify to {opened.id}"]
    opened.delete()


async def test_a_page_that_is_gone_before_its_socket_came_leaves_nothing_running(
    opened: Client,
) -> None:
    name = f"outbox loop {opened.id}"
    await asyncio.sleep(0)

    opened.delete()
    await asyncio.sleep(0.05)

    assert name not in {task.get_name() for task in background_tasks.running_tasks}


class Button:
    def pressed(self) -> None: ...
    def pressed_at(self, place: int) -> None: ...
    def pressed_perhaps_at(self, place: int = 0) -> None: ...


def test_whether_a_handler_wants_an_argument_is_known_of_each(opened: Client) -> None:
    for _ in range(2):
        wants = [
            helpers.expects_arguments(handler)
            for handler in (
                Button().pressed,
                Button().pressed_at,
                Button().pressed_perhaps_at,
                lambda: None,
                lambda _: None,
            )
        ]

        assert wants == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"{NICEGUI}/static/fonts/a.woff2", True),
        (f"{NICEGUI}/libraries/x.js", True),
        (f"{NICEGUI}/dynamic_resources/x.css", False),
        (f"{NICEGUI}/static/missing", False),
        ("/studio", False),
    ],
)
async def test_browsers_keep_what_has_a_version_in_its_address(path: str, kept: bool) -> None:
    async def files(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=404 if "missing" in path else 200)(scope, receive, send)

    transport = httpx.ASGITransport(KeptByBrowsers(files))
    async with httpx.AsyncClient(transport=transport, base_url="http://luma") as browser:
        answer = await browser.get(path)

    assert ("immutable" in answer.headers.get("cache-control", "")) is kept
