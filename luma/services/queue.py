"""Put a job in the queue, in the caller's transaction: no commit, no job."""

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.orm import Session

from luma.errors import LumaError

JSON = str | int | bool | None

queue = App(connector=SyncPsycopgConnector())
"""The deferring side: never opened and without tasks. It writes on the session's connection."""


class JobWaits(LumaError):
    """A job knows that it must be tried again later, in `seconds`. It is no fault."""

    def __init__(self, seconds: int) -> None:
        super().__init__("This is not finished yet. It is tried again by itself.")
        self.seconds = seconds


def defer(
    session: Session,
    task: str,
    /,
    *,
    lock: str | None = None,
    once: str | None = None,
    in_seconds: int = 0,
    **arguments: JSON,
) -> None:
    """Queue `task` (a name in worker.py) to run once after this transaction commits.

    Jobs with the same `lock` run one after the other. While a job with the same `once` waits,
    a second one is not queued: asking twice does it once.
    """
    try:
        with session.begin_nested():
            queue.configure_task(
                task,
                lock=lock,
                queueing_lock=once,
                connection=_held(session),
                schedule_in={"seconds": in_seconds} if in_seconds else None,
            ).defer(**arguments)
    except AlreadyEnqueued:
        return


def _held(session: Session) -> object:
    """The driver's connection. Asked for inside the savepoint: only then is there one."""
    return session.connection().connection.driver_connection
