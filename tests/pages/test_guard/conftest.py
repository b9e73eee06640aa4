"""The two servers under attack: as NiceGUI comes, and with the guard around it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.pages.test_guard.attacker import Server


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _running(tmp_path_factory.mktemp("bare"), guarded=False)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _running(tmp_path_factory.mktemp("guarded"), guarded=True)


@pytest.fixture(params=["bare", "guarded"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each attack is tried on both, so that a test which stops nothing shows itself."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def _everybody_is_signed_in_and_nothing_is_done(bare: Server, guarded: Server) -> None:
    for one in (bare, guarded):
        one.control("reset", "all")


def _running(folder: Path, *, guarded: bool) -> Iterator[Server]:
    log = folder / "log"
    command = [sys.executable, "-m", "tests.pages.test_guard.target"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command + ["--guarded"] * guarded,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**_environment(), "NICEGUI_STORAGE_PATH": str(folder)},
        )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port, log.read_text()
        fresh = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=fresh) as http:
            yield Server(int(port), guarded, log, http)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
