"""Put a job in the queue, in the caller's transaction: no commit, no job."""

from typing import Any

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.types import JSONValue
from sqlalchemy.orm import Session

queue = App(connector=SyncPsycopgConnector())
"""The deferring side: never opened and without tasks. It writes on the session's connection."""


def defer(
    session: Session,
    task: str,
    /,
    *,
    lock: str | None = None,
    once: str | None = None,
    in_seconds: int = 0,
    lane: str = "default",
    **arguments: JSONValue,
) -> None:
    """Queue `task` (a name in worker.py) to run once after this transaction commits.

    Jobs with the same `lock` run one after the other. While a job with the same `once` waits,
    a second one is not queued: asking twice does it once. `lane` is one of worker.LANES.
    """
    wishes: dict[str, Any] = {"lock": lock, "queueing_lock": once, "queue": lane}
    if in_seconds:
        wishes["schedule_in"] = {"seconds": in_seconds}
    if once is None:
        _write(session, task, wishes, arguments)
        return
    try:
        with session.begin_nested():
            _write(session, task, wishes, arguments)
    except AlreadyEnqueued:
        return


def _write(
    session: Session, task: str, wishes: dict[str, Any], arguments: dict[str, JSONValue]
) -> None:
    """The connection is asked for here, inside any savepoint: before, it would not be in it."""
    connection = session.connection().connection.driver_connection
    queue.configure_task(task, connection=connection, **wishes).defer(**arguments)
