"""The parts of the guard by themselves, with a clock that the test turns."""

import logging
import sys
from types import TracebackType

import httpx
import nicegui
import pytest
from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.types import Scope

from luma.errors import TooMany
from luma.pages import guard
from luma.pages.guard import headers, limits, noise, origins
from luma.pages.guard.door import Door
from luma.pages.guard.frames import Turnstile
from luma.pages.guard.rules import LOOPBACK, Rules, doors, network, plain_answer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def _never(_key: str) -> bool:
    return False


def _rules(**changed: object) -> Rules:
    told: dict[str, object] = {
        "origins": doors("https://school.example"),
        "is_secure": True,
        "proxy": None,
        "frame_origin": "https://frames.example",
        "checkout_origin": "https://checkout.stripe.com",
        "session_of": lambda cookies: cookies.get("luma"),
        "is_alive": _never,
        "answer": plain_answer,
    }
    return Rules(**(told | changed))  # type: ignore[arg-type]


def test_a_pace_lets_so_many_through_at_once_then_so_many_a_second() -> None:
    pace = limits.Pace(4, 3)
    for _ in range(3):
        assert pace.wait(100.0) == 0
        pace.count(100.0)

    assert pace.wait(100.0) == pytest.approx(0.25)
    assert pace.wait(100.25) == 0
    assert not pace.is_idle(100.25)
    assert pace.is_idle(100.75)


async def test_a_socket_is_slowed_to_its_pace() -> None:
    clock = Clock()
    turnstile = Turnstile(clock, clock.sleep)

    for _ in range(120 + 40):
        assert await turnstile.lets_through()

    assert clock.now == pytest.approx(1001.0)


async def test_a_socket_that_never_stops_is_cut_off() -> None:
    clock = Clock()
    turnstile = Turnstile(clock, clock.sleep)

    passed = [await turnstile.lets_through() for _ in range(1000)]

    in_time = 120 + 40 * limits.PUSHING_SECONDS
    assert in_time <= passed.index(False) <= in_time + 2


async def test_a_socket_that_pauses_in_time_stays() -> None:
    clock = Clock()
    turnstile = Turnstile(clock, clock.sleep)

    for _ in range(10):
        for _ in range(200):
            assert await turnstile.lets_through()
        clock.now += 3


def test_pages_of_one_address_are_counted_apart_from_anothers() -> None:
    clock = Clock()
    for _ in range(20):
        limits.count_page(_scope(client="192.0.2.1"), clock)

    with pytest.raises(TooMany):
        limits.count_page(_scope(client="192.0.2.1"), clock)
    limits.count_page(_scope(client="192.0.2.2"), clock)
    clock.now += 0.2
    limits.count_page(_scope(client="192.0.2.1"), clock)


def test_one_household_has_one_count_however_many_addresses_it_has() -> None:
    clock = Clock()
    for number in range(20):
        limits.count_page(_scope(client=f"2001:db8:1:2::{number}"), clock)

    with pytest.raises(TooMany):
        limits.count_page(_scope(client="2001:db8:1:2:ffff::1"), clock)
    limits.count_page(_scope(client="2001:db8:1:3::1"), clock)


def test_addresses_that_have_calmed_down_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESSES_KEPT", 3)
    monkeypatch.setattr(limits, "_pages", {})
    clock = Clock()

    for number in range(10):
        limits.count_page(_scope(client=f"192.0.2.{number}"), clock)
        clock.now += 1

    assert len(limits._pages) <= 3


def test_a_load_test_may_raise_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGES_AT_ONCE", 1000)
    clock = Clock()

    for _ in range(1000):
        limits.count_page(_scope(client="192.0.2.77"), clock)


@pytest.mark.parametrize(
    ("origin", "hosts"),
    [
        ("https://School.example", {"school.example", "school.example:443"}),
        ("http://school.example:8080", {"school.example:8080"}),
        ("http://[::1]", {f"{name}{port}" for name in LOOPBACK for port in ("", ":80")}),
    ],
)
def test_a_school_is_known_by_the_names_of_its_address(origin: str, hosts: set[str]) -> None:
    assert set(doors(origin)) == hosts


def test_a_window_on_the_same_machine_may_be_a_second_door() -> None:
    found = doors("https://school.example", "http://127.0.0.1:8080")

    assert found["school.example"] == "https://school.example"
    assert found["localhost:8080"] == "http://localhost:8080"


@pytest.mark.parametrize("proxy", [None, "198.51.100.7", "10.0.0.0/8"])
def test_a_stranger_cannot_speak_for_another_address(proxy: str | None) -> None:
    scope = _scope(client="192.0.2.1", **{"x-forwarded-for": "1.1.1.1"})

    origins.settle_sender(scope, network(proxy))

    assert scope["client"] == ("192.0.2.1", 1)
    assert scope["headers"] == []


def test_a_proxy_may_be_a_range_of_addresses() -> None:
    scope = _scope(client="10.1.2.3", **{"x-forwarded-for": "1.1.1.1"})

    origins.settle_sender(scope, network("10.0.0.0/8"))

    assert scope["client"] == ("1.1.1.1", 0)


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example"):
        network("proxy.example")


async def test_with_tls_the_browser_is_told_to_stay_there() -> None:
    answer = await _answer(_rules())

    assert answer.headers["strict-transport-security"] == "max-age=63072000"
    assert "upgrade-insecure-requests" in answer.headers["content-security-policy"]


async def test_without_tls_it_is_not() -> None:
    rules = _rules(origins=doors("http://school.example"), is_secure=False)

    answer = await _answer(rules, "http://school.example")

    assert "strict-transport-security" not in answer.headers
    assert "upgrade-insecure-requests" not in answer.headers["content-security-policy"]


async def test_frames_and_the_checkout_are_those_that_were_named() -> None:
    policy = (await _answer(_rules())).headers["content-security-policy"]

    assert "frame-src https://frames.example;" in policy
    assert "form-action 'self' https://checkout.stripe.com;" in policy


async def test_a_header_that_a_route_sets_stays() -> None:
    kept = {"Cache-Control": "private", "X-Frame-Options": "SAMEORIGIN"}

    answer = await _answer(_rules(), kept=kept)

    assert answer.headers["cache-control"] == "private"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_template_with_another_number_of_scripts_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match="2 script tags instead of 13"):
        headers.with_nonce("<script></script><p><script src=x></script>")


def test_another_nicegui_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nicegui, "__version__", "3.19.0")

    with pytest.raises(RuntimeError, match=r"tried with NiceGUI 3\.18"):
        guard.protect(
            FastAPI(),
            origin="http://127.0.0.1",
            is_secure=False,
            trusted_proxy=None,
            frame_origin="",
            session_of=lambda _: None,
            is_alive=_never,
        )


def test_what_happens_a_thousand_times_is_said_twice(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    tally = noise.Tally("bad frames", clock)

    for _ in range(1000):
        tally.count()
    clock.now += 61
    tally.count()

    assert [record.getMessage() for record in caplog.records] == [
        "bad frames (1 times)",
        "bad frames (1000 times)",
    ]


def test_ten_tracebacks_of_a_kind_are_written_a_minute() -> None:
    clock = Clock()
    alike = noise.AlikeTracebacks(clock)

    first_minute = [alike.filter(_record(ValueError)) for _ in range(50)]
    another_kind = alike.filter(_record(KeyError))
    clock.now += 61

    assert first_minute.count(True) == 10
    assert another_kind
    assert alike.filter(_record(ValueError))
    assert alike.filter(_record(None))


def test_a_client_id_is_cut_out_of_a_line_of_the_log() -> None:
    record = logging.makeLogRecord(
        {"msg": "%s %s %d", "args": ("1.2.3.4", "/socket.io/?EIO=4&client_id=secret", 403)}
    )

    noise.WithoutQueries().filter(record)

    assert record.getMessage() == "1.2.3.4 /socket.io/ 403"


def _scope(client: str, **sent: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": "/studio",
        "client": (client, 1),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }


async def _answer(
    rules: Rules, origin: str = "https://school.example", kept: dict[str, str] | None = None
) -> httpx.Response:
    app = Door(HTMLResponse("page", headers=kept), rules)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=origin) as browser:
        return await browser.get("/", headers={"Cookie": "luma=ann"})


def _record(kind: type[Exception] | None) -> logging.LogRecord:
    error: tuple[type[Exception], Exception, TracebackType | None] | None = None
    try:
        if kind is not None:
            raise kind
    except Exception as raised:
        error = (kind or Exception, raised, sys.exc_info()[2])
    return logging.LogRecord("nicegui", logging.ERROR, __file__, 1, "failed", (), error)
