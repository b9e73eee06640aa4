"""The database of the tests: a real PostgreSQL, made for the run and gone after it.

One template is migrated once; every worker, and every test that commits, gets a copy of it.
"""

import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.orm import Session

from luma import db, migrations
from luma.embedded import Server
from luma.errors import LumaError
from luma.settings import Settings, settings

RUN = os.environ.setdefault("LUMA_TEST_RUN", uuid.uuid4().hex[:12])
"""The workers of one run inherit it, so that they share a server and a template."""

PREFIX = "luma-tests-"
HURRY = {"fsync": "off", "synchronous_commit": "off", "max_connections": "150"}
ABANDONED = 120.0


class Databases:
    """Makes and drops databases on the server of the tests."""

    def __init__(self, server: str, worker: str) -> None:
        self._server = server
        self._name = f"luma_test_{RUN}_{worker}"
        self._number = count()
        self._template = f"luma_test_{RUN}"

    def url(self, name: str) -> str:
        return make_url(self._server).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of an empty database that nobody else uses."""
        name = f"{self._name}_{next(self._number)}"
        template = self._template if migrated else "template0"
        with self._admin() as admin:
            if migrated:
                self._make_template(admin)
            copy = SQL("CREATE DATABASE {} TEMPLATE {}")
            admin.execute(copy.format(Identifier(name), Identifier(template)))
        yield self.url(name)
        self.drop(name)

    def drop(self, name: str) -> None:
        with self._admin() as admin:
            admin.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    def drop_all(self) -> None:
        with self._admin() as admin:
            ours = admin.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"luma_test_{RUN}%",)
            ).fetchall()
        for (name,) in ours:
            self.drop(str(name))

    def _make_template(self, admin: psycopg.Connection[tuple[object, ...]]) -> None:
        admin.execute("SELECT pg_advisory_lock(%s)", (migrations.LOCK,))
        known = admin.execute("SELECT FROM pg_database WHERE datname = %s", (self._template,))
        if known.fetchone() is None:
            half = f"{self._template}_half"
            admin.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(half)))
            admin.execute(SQL("CREATE DATABASE {}").format(Identifier(half)))
            migrations.upgrade(self.url(half))
            rename = SQL("ALTER DATABASE {} RENAME TO {}")
            admin.execute(rename.format(Identifier(half), Identifier(self._template)))
        admin.execute("SELECT pg_advisory_unlock(%s)", (migrations.LOCK,))

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        plain = make_url(self._server).set(drivername="postgresql", database="postgres")
        conninfo = plain.render_as_string(hide_password=False)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            yield connection


@contextmanager
def server() -> Iterator[str]:
    """LUMA_TEST_DATABASE_URL, or a server of the run's own in a temporary folder."""
    if given := os.environ.get("LUMA_TEST_DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+psycopg").render_as_string(False)
        return
    own = Server(_folder(), changes=HURRY)
    yield own.start()
    own.stop()


def clean_up() -> None:
    """After the run: its databases go, and with them the servers of runs that were killed."""
    if os.environ.get("LUMA_TEST_DATABASE_URL"):
        with server() as address:
            Databases(address, "master").drop_all()
    shutil.rmtree(_folder(), ignore_errors=True)
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, LumaError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                abandoned = Server(left)
                abandoned.start()
                if abandoned.stop():
                    shutil.rmtree(left)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the settings or the data of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("LUMA_")]:
        if not name.startswith("LUMA_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("LUMA_DATA_DIR", str(tmp_path / "luma"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def databases(worker_id: str) -> Iterator[Databases]:
    with server() as address:
        yield Databases(address, worker_id)


@pytest.fixture(scope="session")
def _connection(databases: Databases) -> Iterator[Connection]:
    with databases.fresh() as url:
        engine = create_engine(url, connect_args={"options": "-c TimeZone=UTC"})
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@pytest.fixture
def session(_connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session in a transaction that is rolled back. The doors of `luma.db` lead into it."""
    turn = threading.RLock()

    @contextmanager
    def unit_of_work() -> Iterator[Session]:
        with turn:
            outer.flush()
            with _inside(_connection) as inner, inner.begin():
                yield inner
            outer.expire_all()

    monkeypatch.setattr(db, "unit_of_work", unit_of_work)
    monkeypatch.setattr(db, "glance", unit_of_work)
    monkeypatch.setattr(db, "glance", unit_of_work)
    with _connection.begin() as transaction:
        with _inside(_connection) as outer:
            yield outer
        transaction.rollback()


@pytest.fixture
def fresh_database(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database of the test's own, where commits are real.

    `luma.db` uses it for the length of the test, and so does every process the test starts.
    """
    with databases.fresh() as url:
        monkeypatch.setenv("LUMA_DATABASE_URL", url)
        settings.cache_clear()
        yield url
        db.forget()


def _inside(connection: Connection) -> Session:
    return Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"{PREFIX}{RUN}"
