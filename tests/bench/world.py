"""The database server and the schools in it that LUMA and the floor are measured over."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from luma import migrations
from luma.embedded import Server, processes
from tests.bench import seed
from tests.bench.processes import Served, started

SECRET = "a secret for measuring"
USUAL, LARGE = 200, 5_000


class World:
    """Made once for a run. Nothing here is tuned for speed: what is committed is on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = Server(folder)
        self._address = self._server.start()
        self._kept = ExitStack()
        self.usual = cache(lambda: self._school(USUAL))
        self.large = cache(lambda: self._school(LARGE))
        self.luma = cache(lambda: self._kept.enter_context(self.serving(self.usual())))
        self.floor = cache(lambda: self._kept.enter_context(self.floor_over(self.usual())))

    def close(self) -> None:
        self._kept.close()
        self._server.stop()

    @contextmanager
    def serving(self, database: str) -> Iterator[Served]:
        settings = {
            "LUMA_DATABASE_URL": database,
            "LUMA_DATA_DIR": str(self._folder / "luma"),
            "LUMA_SECRET": SECRET,
            "LUMA_DEMO": "0",
        }
        with started("tests.bench.serve", self._pid(), settings) as served:
            yield served

    @contextmanager
    def floor_over(self, database: str) -> Iterator[Served]:
        with started("tests.bench.floor", self._pid(), {"LUMA_DATABASE_URL": database}) as served:
            yield served

    @contextmanager
    def session(self) -> Iterator[Session]:
        """For looking into the usual school, and adding to it; committed at the end."""
        with Session(_engine(self.usual())) as session, session.begin():
            yield session

    def _school(self, courses: int) -> str:
        name = f"school_{courses}"
        plain = make_url(self._address).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(False), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        database = make_url(self._address).set(database=name).render_as_string(False)
        migrations.upgrade(database)
        with Session(_engine(database)) as session, session.begin():
            seed.school(session, courses)
        with Session(_engine(database)) as session, session.begin():
            seed.analyse(session)
        return database

    def _pid(self) -> int:
        process = processes.postmaster(self._server.cluster)
        assert process is not None
        return int(process.pid)


@contextmanager
def made() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="luma-bench-"))
    world = World(folder)
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _engine(database: str) -> Engine:
    return create_engine(database)
