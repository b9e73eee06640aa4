"""One PostgreSQL cluster in one folder, shared by every process that asks for it.

Each process that uses the server holds a shared lock on one file; whoever can take it alone is the
last and stops the server. The kernel frees the lock of a killed process, so no list goes stale.
"""

import atexit
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from fasteners import (  # type: ignore[import-untyped]  # the package ships no types
    InterProcessLock,
    InterProcessReaderWriterLock,
)
from sqlalchemy import URL, make_url

from luma.embedded import files, processes
from luma.embedded.programs import Programs
from luma.errors import ServiceDown

log = logging.getLogger(__name__)

DATABASE = "luma"
OWNER = "luma"
PATIENCE = 60.0
"""Seconds to wait for a server that starts, which after a crash includes its recovery."""
GLANCE = 2.0
"""Seconds between looks at whether the server still lives."""

SETTINGS = {
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
}


class Server:
    """A process makes one object for a folder: file locks belong to processes, not to objects."""

    def __init__(
        self,
        folder: Path,
        *,
        changes: dict[str, str] | None = None,
        tcp: bool = sys.platform == "win32",
    ) -> None:
        self.folder = folder
        self.cluster = folder / "cluster"
        self._settings = SETTINGS | (changes or {})
        self._tcp = tcp
        self._url: str | None = None
        self._here = threading.RLock()
        self._let_go = threading.Event()
        self._gate = InterProcessLock(folder / "gate.lock")
        self._users = InterProcessReaderWriterLock(folder / "users.lock")

    def start(self) -> str:
        """Return the address. Starts the server unless it runs; twice is once."""
        with self._here:
            if self._url is None:
                self._url = self._join()
            return self._url

    def stop(self) -> bool:
        """Let go. Whether the server stopped, because this process was its last user."""
        with self._here:
            if self._url is None:
                return False
            self._url = None
            self._let_go.set()
            atexit.unregister(self.stop)
            with self._gate:
                self._users.release_read_lock()
                is_last: bool = self._users.acquire_write_lock(blocking=False)
                if is_last:
                    self._programs.run("pg_ctl", *self._halt(), check=False)
                self._users.release_write_lock()
            return is_last

    def _join(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._gate:
            self._users.acquire_read_lock()
            try:
                self._programs = Programs(self.folder)
                self._run()
                self._make_database()
            except BaseException:
                self._users.release_read_lock()
                raise
        self._let_go = threading.Event()
        threading.Thread(target=self._watch, args=(self._let_go,), daemon=True).start()
        atexit.register(self.stop)
        return self._address(DATABASE)

    def _watch(self, let_go: threading.Event) -> None:
        """Start the server again when it was killed: the pool's next connection finds it."""
        while not let_go.wait(GLANCE):
            if processes.postmaster(self.cluster) is None:
                with suppress(ServiceDown), self._here, self._gate:
                    if not let_go.is_set():
                        log.warning("the embedded database was gone and is started again")
                        self._run()

    def _run(self) -> None:
        if not (self.cluster / "PG_VERSION").exists():
            self._create()
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if processes.postmaster(self.cluster) is None:
                self._launch()
            elif time.monotonic() > deadline:
                raise ServiceDown(f"The embedded database does not answer; see {self.cluster}.")
            time.sleep(0.05)

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole: a kill leaves no half one."""
        fresh = self.folder / "cluster.new"
        files.make_private(fresh)
        password = files.kept_secret(self.folder / "password")
        with files.lent(self.folder / "password.lent", password) as lent:
            self._programs.run(
                "initdb",
                *("--pgdata", str(fresh), "--username", OWNER, "--encoding", "UTF8"),
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--auth-local", "trust", "--auth-host", "scram-sha-256", "--pwfile", str(lent)),
            )
        with (fresh / "postgresql.conf").open("a") as file:
            file.write("include_if_exists = 'luma.conf'\n")
        fresh.rename(self.cluster)

    def _launch(self) -> None:
        processes.bury(self.cluster)
        self._configure()
        start_log = self.cluster / "start.log"
        waiting = ("--wait", "--timeout", str(int(PATIENCE)), "--log", str(start_log))
        if not self._programs.run(
            "pg_ctl", "--pgdata", str(self.cluster), *waiting, "start", check=False
        ):
            raise ServiceDown(
                f"The embedded database does not start: {start_log} says why. "
                "LUMA_DATABASE_URL takes the address of another PostgreSQL."
            )

    def _halt(self) -> tuple[str, ...]:
        return ("--pgdata", str(self.cluster), "--mode", "fast", "--wait", "stop")

    def _configure(self) -> None:
        place = {
            "listen_addresses": "127.0.0.1" if self._tcp else "",
            "unix_socket_directories": "" if self._tcp else str(self._socket_folder()),
        }
        if self._tcp:
            place["port"] = str(files.kept_port(self.folder / "port"))
        values = {
            name: value.replace("\\", "\\\\").replace("'", "''")
            for name, value in (self._settings | place).items()
        }
        lines = [f"{name} = '{value}'\n" for name, value in values.items()]
        files.write_private(self.cluster / "luma.conf", "".join(lines))

    def _socket_folder(self) -> Path:
        """The cluster itself, which is private; a short private folder where that is too long."""
        if len(os.fsencode(self.cluster)) <= files.LONGEST_SOCKET_FOLDER:
            return self.cluster
        return files.short_private_folder(self.cluster)

    def _answers(self) -> bool:
        try:
            with self._connected("postgres") as connection:
                connection.execute("SELECT 1")
        except (psycopg.OperationalError, ServiceDown):
            return False
        return True

    def _make_database(self) -> None:
        with self._connected("postgres") as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connected(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        url = make_url(self._address(database)).set(drivername="postgresql")
        conninfo = url.render_as_string(hide_password=False)
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=2)

    def _address(self, database: str) -> str:
        """Made of what the running server itself wrote down. Raises ServiceDown if it does not."""
        lines = processes.notes(self.cluster)
        if len(lines) < 6:
            raise ServiceDown("The embedded database is not running.")
        _pid, _cluster, _started, port, folder, host = lines[:6]
        url = URL.create("postgresql+psycopg", OWNER, database=database)
        if folder:
            url = url.set(query={"host": folder})
        else:
            password = files.kept_secret(self.folder / "password")
            url = url.set(password=password, host=host, port=int(port))
        return url.render_as_string(hide_password=False)
