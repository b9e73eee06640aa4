"""What the job queue runs: task name -> service function, one unit of work each."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from luma import db
from luma.bridge import apart, perform
from luma.errors import LumaError, ServiceDown
from luma.services import failures, housekeeping, identity_inbox, identity_visits, letters, resets
from luma.services.assistant import budget, summary_runs
from luma.services.gateways import mail, sandbox
from luma.services.money import (
    catalogue_sync,
    checkout,
    comparison,
    coupon_sync,
    drift,
    endpoints,
    inbox,
    payees,
    pulling,
    refunds,
    refusals,
    rehearsal,
    transfers,
)
from luma.services.post import delivery

log = logging.getLogger(__name__)

WAITS = (1, 5, 15, 60, 300, 900, 3600)
"""Seconds between tries; the last one repeats."""

MOST_TRIES = 30
"""With the waits above, about a day."""

WAITS_FOR_MAIL = (60, 300, 900, 3600, 3 * 3600, 6 * 3600)
"""Greylisting asks for minutes, a mail server that is mended at night for hours."""

LANES = {"default": 4, "mail": 2}
"""Jobs at once in each lane: a hundred letters that wait for a mail server delay no event."""

RESTART_AFTER = 5

JOBS_END_AFTER = 6
"""Seconds that running jobs get at the end: with the 2 s that open answers have before, LUMA is
gone within the 10 s that Docker and others wait before they kill. What is cut off runs again."""


class WithPatience(BaseRetryStrategy):
    """Try a job that failed again, a little later each time."""

    def __init__(self, waits: tuple[int, ...] = WAITS, most: int = MOST_TRIES) -> None:
        self.waits = waits
        self.most = most

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= self.most:
            return None
        return RetryDecision(
            retry_in={"seconds": self.waits[min(job.attempts, len(self.waits) - 1)]}
        )


PATIENCE = WithPatience()
PATIENCE_WITH_MAIL = WithPatience(WAITS_FOR_MAIL, most=1000)
"""A letter gives itself up after three days, see Letter.fail."""


def build(address: str) -> App:
    """The working side of the queue, with every task LUMA knows."""
    app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=4))
    _transactions(
        app,
        {
            "accounts.write_reset": resets.write,
            "letters.course_open": letters.course_open,
            "refunds.return_double": refunds.return_double,
            "transfers.plan_for": transfers.plan_for,
        },
    )
    _network_calls(
        app,
        {
            "catalogue.look": drift.look,
            "catalogue.sync": catalogue_sync.sync,
            "checkout.close": checkout.close,
            "coupons.sync": coupon_sync.sync,
            "identity_inbox.apply": identity_inbox.apply,
            "inbox.apply": inbox.apply,
            "payees.refresh": payees.refresh,
            "refunds.send": refunds.send,
            "rehearsals.play": rehearsal.play,
            "sandbox.deliver": sandbox.deliver,
            "transfers.send": transfers.send,
        },
    )
    _streams(app, {"assistant.summarise": summary_runs.work})
    _add(app, "letters.send", apart, delivery.send, PATIENCE_WITH_MAIL)
    _by_the_clock(app)
    _pick_up_stalled(app)
    return app


def _by_the_clock(app: App) -> None:
    _every(app, "* * * * *", "inbox.sweep", inbox.sweep)
    _every(app, "*/10 * * * *", "transfers.plan", transfers.plan)
    _every(app, "7 5 * * *", "payees.refresh_all", payees.refresh_all)
    _every(app, "* * * * *", "identity_inbox.sweep", identity_inbox.sweep)
    _every(app, "37 * * * *", "identity_visits.forget_old", identity_visits.forget_old)
    _every(app, "*/5 * * * *", "assistant.settle_lost", budget.settle_lost)
    _every(app, "17 * * * *", "accounts.forget_old", housekeeping.forget_old)
    _every(app, "47 3 * * *", "letters.forget_old", delivery.forget_old)
    _every(app, "27 * * * *", "failures.forget_old", failures.forget_old)
    _every(app, "7 4 * * *", "refusals.forget_old", refusals.forget_old)
    _every(app, "*/15 * * * *", "money.pull", pulling.pull, apart)
    _every(app, "41 4 * * *", "catalogue.look_at_all", drift.look_at_all)
    _every(app, "23 4 * * *", "money.compare", comparison.compare, apart)
    _every(app, "*/15 * * * *", "money.check_endpoints", endpoints.check, apart)


def _transactions(app: App, tasks: dict[str, Callable[..., Any]]) -> None:
    for name, action in tasks.items():
        _add(app, name, perform, action)


def _network_calls(app: App, tasks: dict[str, Callable[..., Any]]) -> None:
    """These open their own units of work around what they ask of the network.

    Their threads are not those of the pages: a gateway that hangs for a buyer delays no event.
    """
    for name, action in tasks.items():
        _add(app, name, apart, action)


def _streams(app: App, tasks: dict[str, Callable[..., Any]]) -> None:
    """These wait for the AI on the loop; they open their own units of work around it."""

    async def on_the_loop(action: Callable[..., Any], **arguments: Any) -> None:
        await action(**arguments)

    for name, action in tasks.items():
        _add(app, name, on_the_loop, action)


def _add(
    app: App,
    name: str,
    door: Callable[..., Any],
    action: Callable[..., Any],
    patience: WithPatience = PATIENCE,
) -> None:
    @app.task(name=name, retry=patience, pass_context=True)
    async def run(context: JobContext, /, **arguments: Any) -> None:
        async with _noting_why(context):
            await door(action, **arguments)


def _every(
    app: App, cron: str, name: str, action: Callable[..., Any], door: Callable[..., Any] = perform
) -> None:
    @app.periodic(cron=cron)
    @app.task(name=name, queueing_lock=name, pass_context=True)
    async def run(context: JobContext, /, timestamp: int) -> None:
        async with _noting_why(context):
            await door(action)


@contextlib.asynccontextmanager
async def _noting_why(context: JobContext) -> AsyncIterator[None]:
    """An admin reads why a job failed; without a database only the log knows."""
    try:
        yield
    except Exception as error:
        if context.job.id is not None:
            with contextlib.suppress(LumaError):
                await perform(failures.note, context.job.id, failures.in_words(error))
        raise


def _pick_up_stalled(app: App) -> None:
    """Run again what a killed worker had in hand."""

    @app.periodic(cron="* * * * *")
    @app.task(name="queue.pick_up_stalled", queueing_lock="queue.pick_up_stalled")
    async def run(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs():
            try:
                await app.job_manager.retry_job(job)
            except UniqueViolation:  # its like waits already and will do what this one did not
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


async def work() -> None:
    """Run jobs until cancelled. Comes back by itself after the database was away.

    A lane that fails while all of them end hides the cancelling: so it is asked for. The lanes are
    a task of their own, because a group that ends its members may leave its task cancelled, and
    then nobody would begin again.
    """
    me = asyncio.current_task()
    while me is None or not me.cancelling():
        try:
            app = build(_conninfo())
            async with app.open_async():
                await perform(inbox.resume)
                await perform(identity_inbox.resume)
                await asyncio.create_task(_run_lanes(app))
        except* (ConnectorException, OSError, ServiceDown):
            log.exception("the worker lost the database; it starts again in a moment")
            if me is None or not me.cancelling():
                await asyncio.sleep(RESTART_AFTER)
        finally:
            mail.hang_up()


async def _run_lanes(app: App) -> None:
    """Each lane has a worker of its own, so that none waits for another."""
    async with asyncio.TaskGroup() as lanes:
        for lane, most in LANES.items():
            lanes.create_task(
                app.run_worker_async(
                    name=lane,
                    queues=[lane],
                    concurrency=most,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=JOBS_END_AFTER,
                    delete_jobs="successful",
                    fetch_job_polling_interval=5,
                )
            )


def _conninfo() -> str:
    return db.address().replace("postgresql+psycopg://", "postgresql://", 1)
