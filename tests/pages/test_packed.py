import httpx
import nicegui
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from luma.pages.packed import PackedOnce

FILE = f"/_nicegui/{nicegui.__version__}/static/vue.js"


class Files:
    """NiceGUI, as far as it serves files: how often it was asked, and how."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.cookie = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(Request(scope))
        answer = Response("export const x = 1;" * 100, media_type="text/javascript")
        if self.cookie:
            answer.set_cookie("session", self.cookie)
        await answer(scope, receive, send)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def browser(files: Files) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(PackedOnce(files))
    return httpx.AsyncClient(transport=transport, base_url="http://luma")


async def test_a_file_is_asked_of_nicegui_once(browser: httpx.AsyncClient, files: Files) -> None:
    first = await browser.get(FILE)
    again = await browser.get(FILE)

    assert first.text == again.text == "export const x = 1;" * 100
    assert again.headers["content-encoding"] == "gzip"
    assert len(files.asked) == 1


async def test_nobody_gets_the_cookie_of_another(browser: httpx.AsyncClient, files: Files) -> None:
    files.cookie = "of the first visitor"
    await browser.get(FILE)
    files.cookie = ""

    again = await browser.get(FILE)

    assert "set-cookie" not in again.headers


async def test_a_part_of_a_file_is_never_kept_for_the_whole(
    browser: httpx.AsyncClient, files: Files
) -> None:
    await browser.get(FILE, headers={"Range": "bytes=0-3"})

    assert "range" not in files.asked[0].headers
    assert (await browser.get(FILE)).text == "export const x = 1;" * 100


async def test_who_cannot_unpack_gets_the_file_as_it_is(browser: httpx.AsyncClient) -> None:
    await browser.get(FILE)

    plain = await browser.get(FILE, headers={"Accept-Encoding": "identity"})

    assert "content-encoding" not in plain.headers
    assert plain.text.startswith("export")


async def test_what_may_change_is_asked_for_each_time(
    browser: httpx.AsyncClient, files: Files
) -> None:
    path = f"/_nicegui/{nicegui.__version__}/dynamic_resources/codehilite_css"

    await browser.get(path)
    await browser.get(path)

    assert len(files.asked) == 2
