"""The running server as the operating system sees it.

A number in a file proves nothing: after a crash it may belong to another program. A process is the
server's if it is called postgres and lives in the cluster's folder.
"""

from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its types are not installed

from luma.embedded import files

LEFT_BEHIND = ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock")


def notes(cluster: Path) -> list[str]:
    """What the server writes about itself: number, folder, start, port, socket folder, host."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def postmaster(cluster: Path) -> psutil.Process | None:
    """The server's first process, or None if it does not run."""
    with suppress(psutil.Error, ValueError, IndexError):
        process = psutil.Process(int(notes(cluster)[0]))
        if _belongs(process, cluster):
            return process
    return None


def bury(cluster: Path) -> None:
    """After a server was killed: end the processes it left and clear its traces.

    Only with the gate held and no postmaster alive. What was committed is in the log it recovers.
    """
    for orphan in psutil.process_iter():
        if _belongs(orphan, cluster):
            with suppress(psutil.NoSuchProcess):
                orphan.kill()
                orphan.wait(5)
    for folder in (cluster, files.short_path(cluster)):
        for name in LEFT_BEHIND:
            (folder / name).unlink(missing_ok=True)


def _belongs(process: psutil.Process, cluster: Path) -> bool:
    with suppress(psutil.Error, OSError):
        if process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE:
            return Path(process.cwd()).samefile(cluster)
    return False
