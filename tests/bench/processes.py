"""Server processes: started, measured from outside, ended."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # its types are not installed


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens, and the processes that work for it: itself and the database."""

    url: str
    pid: int
    database_pid: int

    def cpu(self) -> float:
        """CPU seconds so far, of the server, the database and all their children."""
        return sum(_cpu(pid) for root in (self.pid, self.database_pid) for pid in _tree(root))

    def memory(self) -> float:
        """Resident megabytes of the server alone."""
        return sum(float(psutil.Process(pid).memory_info().rss) for pid in _tree(self.pid)) / 2**20


@contextmanager
def started(module: str, database_pid: int, settings: Mapping[str, str]) -> Iterator[Served]:
    """Run `python -m module`, which prints its port once it listens and serves until it is ended.

    `settings` are LUMA_… variables; none is inherited.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**own, **settings}
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port.isdecimal():
            raise RuntimeError(f"{module} did not start; its reason stands above")
        yield Served(f"http://127.0.0.1:{port}", process.pid, database_pid)
        process.terminate()
        process.wait(20)


def _tree(root: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        return [root, *(child.pid for child in process.children(recursive=True))]
    return []


def _cpu(pid: int) -> float:
    """Children that have ended are counted with their parent."""
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
