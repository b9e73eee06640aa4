"""Whether this LUMA can do its work."""

import shutil
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from luma import migrations
from luma.services import clock
from luma.settings import settings

LEAST_DISK = 200 * 2**20
LONGEST_WAIT = timedelta(minutes=5)
WORKER_SILENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Health:
    migrated: bool
    worker: bool
    jobs_on_time: bool
    disk: bool

    @property
    def is_ready(self) -> bool:
        return self.migrated and self.worker and self.jobs_on_time and self.disk


def health(session: Session) -> Health:
    """Asks the database, so an answer says that it answers too."""
    now = clock.now()
    migrated = migrations.is_current(session)
    return Health(
        migrated=migrated,
        worker=migrated and _counts(session, ALIVE, now - WORKER_SILENT) > 0,
        jobs_on_time=migrated and _counts(session, LATE, now - LONGEST_WAIT) == 0,
        disk=shutil.disk_usage(settings().data_path()).free > LEAST_DISK,
    )


ALIVE = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > :since"
# Letters may wait for a mail server for days: that is no reason to send visitors away.
LATE = """
    SELECT count(*) FROM procrastinate_jobs AS job
    JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'deferred'
    WHERE job.status = 'todo' AND job.queue_name <> 'mail'
      AND coalesce(job.scheduled_at, event.at) < :since
"""


def _counts(session: Session, question: str, since: object) -> int:
    return int(session.execute(text(question), {"since": since}).scalar_one())
