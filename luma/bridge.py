"""The one door from the event loop to blocking code."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolEmpty
from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken, ServiceDown

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

DEADLINE = 8.0
"""Seconds after which a person is told to try again, whatever the database does."""

NETWORK_DEADLINE = 45.0
HASHES_WAITING = 50

_database = ThreadPoolExecutor(6, "database")
_network = ThreadPoolExecutor(6, "network")
_identity = ThreadPoolExecutor(4, "identity")
_passwords = ThreadPoolExecutor(2, "passwords")
_hashing = 0


async def perform(
    action: Callable[Concatenate[Session, P], R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run one service function inside one transaction. Raises ServiceDown without a database."""

    def in_transaction() -> R:
        with db.unit_of_work() as session:
            return action(session, *args, **kwargs)

    return await _in_thread(_database, DEADLINE, partial(_said_in_words, in_transaction))


async def look(
    action: Callable[Concatenate[Session, P], R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """The same for one that only reads, without a transaction: for what many ask all the time."""

    def at_a_glance() -> R:
        with db.glance() as session:
            return action(session, *args, **kwargs)

    return await _in_thread(_database, DEADLINE, partial(_said_in_words, at_a_glance))


async def offload(action: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run something that waits for the network, outside any transaction of the caller."""
    return await _in_thread(_network, NETWORK_DEADLINE, lambda: action(*args, **kwargs))


async def inquire(action: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for identity providers, in threads of their own: a slow one delays no buyer."""
    return await _in_thread(_identity, NETWORK_DEADLINE, lambda: action(*args, **kwargs))


async def apart(action: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a job's network calls in a thread that nobody waits for when LUMA ends.

    A pool's threads would be waited for, as long as a gateway that hangs makes them wait. What is
    cut off is as safe as with a power cut: its keys make doing it again harmless.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def tell(answer: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody listens any more
            loop.call_soon_threadsafe(lambda: None if done.done() else answer())

    def work() -> None:
        try:
            result = action(*args, **kwargs)
        except BaseException as error:
            tell(partial(done.set_exception, error))
        else:
            tell(partial(done.set_result, result))

    threading.Thread(target=work, name="job", daemon=True).start()
    return await done


async def hash_off_loop(action: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a password hash in one of two threads. Raises ServiceDown when too many wait."""
    global _hashing  # noqa: PLW0603  (one counter, touched on the loop's thread only)
    if _hashing >= HASHES_WAITING:
        raise ServiceDown("Many people are signing in right now. Try again in a few seconds.")
    _hashing += 1
    try:
        return await _in_thread(_passwords, NETWORK_DEADLINE, lambda: action(*args, **kwargs))
    finally:
        _hashing -= 1


async def _in_thread(threads: ThreadPoolExecutor, seconds: float, work: Callable[[], R]) -> R:
    waiting = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.wait_for(waiting, seconds)
    except TimeoutError as error:
        raise ServiceDown("That took too long. Try again in a minute.") from error


def _said_in_words(work: Callable[[], R]) -> R:
    try:
        return work()
    except (OperationalError, InterfaceError, PoolEmpty, DBAPIError) as error:
        raise _in_words(error) from error


def _in_words(error: Exception) -> Exception:
    """A refusal for what a person can wait out; anything else stays the bug it is."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, LockNotAvailable):
        return RuleBroken("Somebody is changing this right now. Try again in a moment.")
    gone = getattr(error, "connection_invalidated", False)
    if gone or isinstance(error, OperationalError | InterfaceError | PoolEmpty):
        log.error("the database does not answer", exc_info=error)
        return ServiceDown("The database does not answer. Try again in a minute.")
    return error
