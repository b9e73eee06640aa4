"""`python main.py`, as a person starts and ends it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from luma.embedded import processes
from tests.browser.ports import free_port

ROOT = Path(__file__).parents[1]
LAST_LINE = "Ctrl+C ends it."


@contextmanager
def started(*words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    env = _environment(settings)
    command = [sys.executable, "main.py", *words]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            _ended(process)


def _ended(process: subprocess.Popen[str]) -> None:
    """One that does not end says where it stands, instead of holding up all tests after it."""
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        raise


@pytest.fixture
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="luma-main-"))
    yield place
    shutil.rmtree(place)


def test_one_command_starts_a_school_on_its_own_database_and_a_signal_ends_both(
    folder: Path,
) -> None:
    port = free_port()
    with started(LUMA_PORT=str(port), LUMA_DATA_DIR=str(folder)) as luma:
        said = _greeting(luma)
        catalogue = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
        ready = _readiness(port)
        luma.terminate()
        ended = luma.wait(60)

    assert f"http://127.0.0.1:{port}/studio" in said
    assert [line.split()[0] for line in said.splitlines() if "@luma.example" in line] == [
        "instructor",
        "student",
        "admin",
    ]
    assert (catalogue.status_code, ready) == (200, 200)
    assert ended == 0
    assert processes.postmaster(folder / "postgres" / "cluster") is None


def test_without_the_demo_nobody_is_named(fresh_database: str, tmp_path: Path) -> None:
    with started(
        LUMA_PORT=str(free_port()),
        LUMA_DATABASE_URL=fresh_database,
        LUMA_DATA_DIR=str(tmp_path),
        LUMA_DEMO="0",
    ) as luma:
        said = _greeting(luma)

    assert "@luma.example" not in said


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(LUMA_PORT=str(port), LUMA_DATA_DIR=str(tmp_path)) as luma:
            _, said = luma.communicate()

    assert said.startswith(f"Port {port} of 127.0.0.1 cannot be used")
    assert "LUMA_PORT" in said
    assert luma.returncode == 1


def test_a_server_elsewhere_is_for_the_window_alone(tmp_path: Path) -> None:
    with started("--server", "https://school.example", LUMA_DATA_DIR=str(tmp_path)) as luma:
        _, said = luma.communicate()

    assert "--server goes with --native" in said


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
    return {**own, **settings}


def _greeting(luma: subprocess.Popen[str]) -> str:
    assert luma.stdout is not None
    said = ""
    while LAST_LINE not in said:
        line = luma.stdout.readline()
        assert line, luma.stderr.read() if luma.stderr else "it ended without a word"
        said += line
    return said


def _readiness(port: int) -> int:
    """200 once the worker has shown that it lives."""
    deadline = time.monotonic() + 60
    while True:
        status = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code
        if status == 200 or time.monotonic() > deadline:
            return status
        time.sleep(0.2)
