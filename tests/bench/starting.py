"""How long `make run` takes until the first page is served, when everything is installed."""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench.table import Row
from tests.bench.world import World

STARTS = 3
NOT_OURS = ("LUMA_", "PYTHONDONTWRITEBYTECODE")
"""A second start finds what the first one compiled, as on anyone's machine."""

PATIENCE = 60
MAIN = Path(__file__).parents[2] / "main.py"


def rows(_world: World) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="luma-bench-start-") as folder:
        first = _start(folder)
        again = statistics.median(_start(folder) for _ in range(STARTS))
    what = "start: first page served, on a warm install with a database"
    yield Row(what, again, "s", most=5)
    yield Row("start: the same with a new database and the demo school", first, "s", most=60)


def _start(folder: str) -> float:
    """Seconds from the command to the catalogue."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    env = {**own, "LUMA_DATA_DIR": f"{folder}/luma", "LUMA_PORT": str(port)}
    begun = time.perf_counter()
    quiet = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, MAIN], env=env, stdout=quiet) as process:
        while not _answers(port) and time.perf_counter() - begun < PATIENCE:
            time.sleep(0.02)
        took = time.perf_counter() - begun
        process.terminate()
        process.wait(30)
    return took


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).is_success
    except httpx.HTTPError:
        return False
