"""The studio in a window of its own, on a real screen: seen, signed in to, closed, remembered."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from luma import desktop as launcher
from luma.desktop import Window
from luma.desktop.window import Memory
from luma.errors import LumaError
from luma.services.demo import PASSWORD
from tests.browser.desktop import Desktop, a_desktop, a_screen
from tests.browser.ports import free_port
from tests.browser.school import School
from tests.database import Databases

TEACHER = "teacher@luma.example"
WHERE = "answer => new URL(answer.url).pathname"
BUTTON = "document.querySelector('main form button')"


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with a_screen() as name:
        yield name


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
def desktop(
    screen: str, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desktop]:
    folder = tmp_path_factory.mktemp("desktop")
    opener = folder / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" >> {folder}/opened\n')
    opener.chmod(0o755)
    settings = {"LUMA_DATABASE_URL": database, "BROWSER": str(opener)}
    with a_desktop(screen, folder, settings) as desktop:
        yield desktop


def test_the_window_shows_luma_and_the_world_reaches_the_same_server(desktop: Desktop) -> None:
    desktop.eventually(lambda: _colours(desktop) > 50)

    with httpx.Client(base_url=desktop.url, trust_env=False) as student:
        catalogue = student.get("/")
        stripe = student.post("/webhooks/stripe", content=b"{}")

    assert catalogue.status_code == 200
    assert stripe.status_code == 400
    assert desktop.process.poll() is None


def test_a_link_to_another_site_opens_in_the_system_browser(desktop: Desktop) -> None:
    desktop.eventually(lambda: desktop.evaluate("Boolean(window.pywebview)"))
    desktop.evaluate(
        "document.body.insertAdjacentHTML('afterbegin',"
        " '<a id=out href=\"https://elsewhere.example/page\">Elsewhere</a>')"
    )
    here = desktop.evaluate("location.href")

    desktop.click("document.getElementById('out')")

    opened = desktop.folder / "opened"
    desktop.eventually(lambda: opened.read_text() == "https://elsewhere.example/page\n")
    assert desktop.evaluate("location.href") == here


def test_a_teacher_signs_in_inside_the_window_and_is_known_the_next_time(
    screen: str, database: str, tmp_path: Path
) -> None:
    settings = {"LUMA_DATABASE_URL": database, "LUMA_PORT": str(free_port())}
    with a_desktop(screen, tmp_path, settings) as first:
        first.eventually(lambda: first.evaluate("location.pathname") == "/sign-in")
        _sign_in(first)
        first.eventually(lambda: first.evaluate("location.pathname") == "/studio")
        first.close()
        ended = first.process.wait(20)

    with a_desktop(screen, tmp_path, settings) as second:
        assert ended == 0
        second.eventually(lambda: second.evaluate(f"fetch('/studio').then({WHERE})") == "/studio")


def test_the_window_alone_opens_on_a_school_elsewhere_where_it_was_left(
    school: School, tmp_path: Path
) -> None:
    kept = tmp_path / "window" / "place.json"
    kept.parent.mkdir()
    kept.write_text(json.dumps({"width": 900, "height": 650, "x": 120, "y": 80}))

    with a_screen() as own, a_desktop(own, tmp_path, {}, "--server", school.url) as window:
        window.eventually(lambda: window.place() == (120, 80, 1020, 730))
        origin = window.evaluate("location.origin")
        window.close()
        ended = window.process.wait(20)

    assert (origin, ended) == (school.url, 0)
    assert json.loads(kept.read_text()) == {"width": 900, "height": 650, "x": 120, "y": 80}


def test_without_its_packages_the_window_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launcher, "find_spec", lambda _: None)

    with pytest.raises(LumaError, match=r"requirements-desktop\.txt"):
        Window("http://127.0.0.1:8080")


def test_without_a_screen_the_window_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find_spec", lambda _: "there")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    with pytest.raises(LumaError, match="no screen"):
        Window("http://127.0.0.1:8080")


@pytest.mark.parametrize("address", ["school.example", "ftp://school.example", "", "http://"])
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_ensure_possible", lambda: None)

    with pytest.raises(LumaError, match="looks like"):
        Window(address)


@pytest.mark.parametrize("text", ["", "[]", '{"width": "wide"}', '{"width": 1}', "\0"])
def test_a_place_that_makes_no_sense_is_forgotten(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "place.json"
    kept.write_text(text)

    assert Memory(kept).last == {"width": 1280, "height": 800}


def _sign_in(desktop: Desktop) -> None:
    desktop.type("document.querySelector('[name=email]')", TEACHER)
    desktop.type("document.querySelector('[name=password]')", PASSWORD)
    desktop.click(BUTTON)


def _colours(desktop: Desktop) -> int:
    return len(desktop.picture().getcolors(2**20) or range(2**20))
