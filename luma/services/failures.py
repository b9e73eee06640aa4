"""Why jobs fail: noted by the worker in words, read by an admin."""

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import LumaError
from luma.models.job import JobFailure
from luma.services import clock

LONGEST = 500
FROM_OUTSIDE = (ConnectionError, TimeoutError)


def note(session: Session, job_id: int, cause: str) -> None:
    """The latest cause stands for the job."""
    new = insert(JobFailure).values(job_id=job_id, cause=cause, failed_at=clock.now())
    session.execute(
        new.on_conflict_do_update(
            index_elements=[JobFailure.job_id],
            set_={"cause": new.excluded.cause, "failed_at": new.excluded.failed_at},
        )
    )


def in_words(error: BaseException) -> str:
    """What went wrong, without what the error may carry: names, addresses, keys."""
    if isinstance(error, LumaError):
        return str(error)[:LONGEST]
    if isinstance(error, FROM_OUTSIDE):
        return f"Something outside did not answer ({type(error).__name__})."
    return f"A fault in LUMA ({type(error).__name__}). The log has the whole story."


def forget_old(session: Session) -> None:
    """Housekeeping: the causes of jobs that are done and gone."""
    gone = text("NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = job_id)")
    session.execute(delete(JobFailure).where(gone))
