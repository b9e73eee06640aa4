"""How often somebody may try: counted in the database, so that a restart does not clear it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from luma.errors import TooMany
from luma.models.user import AttemptKind, SignInAttempt
from luma.services import clock


@dataclass(frozen=True, slots=True)
class Limit:
    most: int
    within: timedelta


KEPT = timedelta(days=1)
"""No limit looks back further."""

MINUTES_5, HOUR, HOURS_6 = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6)

# PyPI's numbers.
LIMITS: dict[AttemptKind, tuple[Limit, ...]] = {
    AttemptKind.ACCOUNT: (Limit(10, MINUTES_5),),
    AttemptKind.ADDRESS: (Limit(10, MINUTES_5),),
    AttemptKind.EVERYONE: (Limit(1000, MINUTES_5),),
    AttemptKind.SIGN_UP: (Limit(20, HOUR),),
    AttemptKind.SECOND_FACTOR: (Limit(5, MINUTES_5), Limit(20, HOUR), Limit(50, KEPT)),
    AttemptKind.RESET: (Limit(5, KEPT),),
    AttemptKind.RESET_FROM: (Limit(20, KEPT),),
    AttemptKind.NEW_EMAIL: (Limit(2, KEPT),),
    AttemptKind.VERIFY: (Limit(3, HOURS_6),),
    AttemptKind.DOWNLOAD: (Limit(5, HOUR),),
    AttemptKind.IDENTITY: (Limit(100, MINUTES_5),),
    AttemptKind.COUPON: (Limit(30, HOUR), Limit(100, KEPT)),
}


def count(session: Session, kind: AttemptKind, key: str) -> None:
    """Note an attempt. Raises TooMany when it is one too many; then it is not noted.

    The lock makes attempts for one key queue up, so none is miscounted. Commit before what is
    tried is looked at: many guesses at once are no way around.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"{kind}:{key}"))))
    ensure_left(session, kind, key)
    session.add(SignInAttempt(kind=kind, key=key, attempted_at=clock.now()))
    session.flush()


def ensure_left(session: Session, kind: AttemptKind, key: str) -> None:
    """Raises TooMany when one more would be one too many. Notes nothing."""
    now = clock.now()
    for limit in LIMITS[kind]:
        recent = _recent(session, kind, key, now - limit.within, limit.most)
        if len(recent) >= limit.most:
            wait = recent[-1] + limit.within - now
            raise TooMany(f"Too many attempts. Try again in {span(wait)}.")


def forgive(session: Session, kind: AttemptKind, key: str) -> None:
    """It was right in the end: what was tried before does not count any more."""
    session.execute(
        delete(SignInAttempt).where(SignInAttempt.kind == kind, SignInAttempt.key == key)
    )


def forgive_one(session: Session, kind: AttemptKind, key: str) -> None:
    """Only the last attempt: others with the same key may still be guessing."""
    this_one = select(func.max(SignInAttempt.id)).where(
        SignInAttempt.kind == kind, SignInAttempt.key == key
    )
    session.execute(delete(SignInAttempt).where(SignInAttempt.id == this_one.scalar_subquery()))


def forget_old(session: Session) -> None:
    session.execute(delete(SignInAttempt).where(SignInAttempt.attempted_at < clock.now() - KEPT))


def span(time: timedelta) -> str:
    minutes = max(1, -(-int(time.total_seconds()) // 60))
    if minutes > 90:
        return f"{-(-minutes // 60)} hours"
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _recent(
    session: Session, kind: AttemptKind, key: str, since: datetime, most: int
) -> list[datetime]:
    """The newest first, at most so many."""
    found = session.scalars(
        select(SignInAttempt.attempted_at)
        .where(
            SignInAttempt.kind == kind,
            SignInAttempt.key == key,
            SignInAttempt.attempted_at > since,
        )
        .order_by(SignInAttempt.attempted_at.desc())
        .limit(most)
    )
    return list(found)
