"""The engine and the unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from luma import embedded
from luma.settings import settings

TIMEOUTS = (
    "-c statement_timeout=5s -c lock_timeout=3s"
    " -c idle_in_transaction_session_timeout=10s -c TimeZone=UTC"
)


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
    return create_engine(
        address(),
        pool_size=10,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1800,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "tcp_user_timeout": 8000,
            "options": TIMEOUTS,
            "application_name": "luma",
        },
    )


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One user action, one transaction: committed at the end, rolled back when anything raises."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


def forget() -> None:
    """Close every connection; the next use opens new ones."""
    if engine.cache_info().currsize:
        engine().dispose()
        engine.cache_clear()
