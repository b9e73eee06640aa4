"""Tell open pages that something changed: PostgreSQL's NOTIFY on one side, a bell on the other.

A bell only says "look again". It may ring once too often; polling covers the ring that is lost.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db

log = logging.getLogger(__name__)

CHANNEL = "luma"
ALIVE_EVERY = 2.0
AGAIN_AFTER = 1.0


def tell(session: Session, topic: str) -> None:
    """Ring for everyone who listens to `topic`, in any process, once this transaction commits."""
    session.execute(select(func.pg_notify(CHANNEL, topic)))


class Bell:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    async def rings(self, seconds: float) -> bool:
        """Wait for a ring, at most so long. Rings that came before are not forgotten."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        was_rung = self._rung.is_set()
        self._rung.clear()
        return was_rung

    def ring(self) -> None:
        """From any thread. A loop that has ended has nobody left to tell."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)


@asynccontextmanager
async def bell(topic: str) -> AsyncIterator[Bell]:
    """A bell for one topic. Read the state after you have it: then no change is missed."""
    mine = Bell()
    _ear.add(topic, mine)
    try:
        yield mine
    finally:
        _ear.remove(topic, mine)


class _Ear:
    """One thread and one connection for the process, for as long as somebody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells: dict[str, set[Bell]] = {}
        self._thread: threading.Thread | None = None

    def add(self, topic: str, bell: Bell) -> None:
        with self._lock:
            self._bells.setdefault(topic, set()).add(bell)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
                self._thread.start()

    def remove(self, topic: str, bell: Bell) -> None:
        with self._lock:
            self._bells[topic].discard(bell)
            if not self._bells[topic]:
                del self._bells[topic]

    def _run(self) -> None:
        """Comes back by itself after the database was away; then every bell rings."""
        while not self._is_over():
            try:
                self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("signals lost the database", extra={"cause": type(error).__name__})
                time.sleep(AGAIN_AFTER)

    def _listen(self) -> None:
        address = db.address().replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(
            address, autocommit=True, connect_timeout=5, application_name="luma signals"
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._ring(None)
            while not self._is_over():
                for notice in connection.notifies(timeout=ALIVE_EVERY):
                    self._ring(notice.payload)
                connection.execute("SELECT 1")

    def _is_over(self) -> bool:
        with self._lock:
            if not self._bells:
                self._thread = None
            return self._thread is not threading.current_thread()

    def _ring(self, topic: str | None) -> None:
        with self._lock:
            topics = list(self._bells) if topic is None else [topic]
            for name in topics:
                for bell in self._bells.get(name, ()):
                    bell.ring()


_ear = _Ear()
