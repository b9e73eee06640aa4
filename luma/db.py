"""The engine and the unit of work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from luma import embedded
from luma.settings import settings

TIMEOUTS = (
    "-c statement_timeout=5s -c lock_timeout=3s"
    " -c idle_in_transaction_session_timeout=10s -c TimeZone=UTC"
)


TRUSTED_FOR = 1.0
"""Seconds after which a connection that rested is asked whether it lives before it is used."""


def address() -> str:
    """The SQLAlchemy URL of the database in use; starts the embedded server if that is it."""
    if (url := settings().database_url) is None:
        return embedded.address()
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return url.replace(plain, "postgresql+psycopg://", 1)
    return url


@lru_cache
def engine() -> Engine:
    """One pool for the process. Nothing waits long: people get an answer or a sentence."""
    made = create_engine(
        address(),
        pool_size=10,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1800,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 5,
            "tcp_user_timeout": 8000,
            "options": TIMEOUTS,
            "application_name": "luma",
        },
    )
    event.listen(made, "checkin", _note_rest)
    event.listen(made, "checkout", partial(_look_at, made))
    return made


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One user action, one transaction: committed at the end, rolled back when anything raises."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def glance() -> Iterator[Session]:
    """For what only reads: each statement stands alone, which saves two of three round trips.

    PostgreSQL gives every statement its own view of the data anyway, as LUMA runs it.
    """
    with Session(_alone(), expire_on_commit=False) as session:
        yield session


def forget() -> None:
    """Close every connection; the next use opens new ones. One in use is closed when it is done."""
    if engine.cache_info().currsize:
        event.listen(engine().pool, "checkin", _close)
        engine().dispose()
        engine.cache_clear()
        _alone.cache_clear()


@lru_cache
def _alone() -> Engine:
    """The same pool, for statements that are transactions of their own."""
    return engine().execution_options(isolation_level="AUTOCOMMIT")


def _close(connection: DBAPIConnection | None, _entry: ConnectionPoolEntry) -> None:
    """Its pool is gone: nobody would close it any more."""
    if connection is not None:
        connection.close()


def _note_rest(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info["rests_since"] = time.monotonic()


def _look_at(
    engine: Engine,
    connection: DBAPIConnection,
    entry: ConnectionPoolEntry,
    _held: PoolProxiedConnection,
) -> None:
    """As the pool's own pre-ping, but only after a rest: in a busy second it costs every request.

    Raises InvalidatePoolError, upon which the pool opens new connections.
    """
    if time.monotonic() - entry.info.get("rests_since", time.monotonic()) < TRUSTED_FOR:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
