"""Files and folders that belong to the user the server runs as, and to nobody else."""

import hashlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from luma.errors import ServiceDown

SERVER_USER = "pgserver"
"""PostgreSQL refuses to run as root; where LUMA does, this user is made and the server is its."""
LONGEST_SOCKET_FOLDER = 85
"""Bytes; with the socket's own name it stays under the 103 that macOS allows (Linux: 107)."""


def runs_as_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def make_private(folder: Path) -> None:
    """An empty folder in this place, whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    _give(folder)


def write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
    _give(path)


def kept_secret(path: Path) -> str:
    """A password made at first use. Callers hold the gate."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text()


def kept_port(path: Path) -> int:
    """The port of last time, so that open pools find a restarted server, or else a free one."""
    for wanted in (int(path.read_text()) if path.exists() else 0, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":  # there it would mean taking the port from its owner
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            write_private(path, str(port))
            return port
    raise ServiceDown("No port is free for the embedded database.")


@contextmanager
def lent(path: Path, text: str) -> Iterator[Path]:
    """A file that the server's user may read for as long as the block runs."""
    write_private(path, text)
    try:
        yield path
    finally:
        path.unlink()


def short_path(cluster: Path) -> Path:
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"luma-{name}"


def short_private_folder(cluster: Path) -> Path:
    """For a socket whose path must not be long. Raises ServiceDown if somebody else owns it."""
    folder = short_path(cluster)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in _our_ids():
        raise ServiceDown(f"{folder} belongs to somebody else: set LUMA_DATA_DIR to a short path.")
    folder.chmod(0o700)
    _give(folder)
    return folder


def open_the_way(folder: Path) -> None:
    """Let the server's user pass through the folders above, without letting it list them."""
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


def _give(path: Path) -> None:
    if runs_as_root():
        shutil.chown(path, SERVER_USER, SERVER_USER)


def _our_ids() -> set[int]:
    if sys.platform == "win32":
        return {0}
    import pwd  # noqa: PLC0415  (not on Windows)

    return {os.geteuid()} | ({pwd.getpwnam(SERVER_USER).pw_uid} if runs_as_root() else set())
