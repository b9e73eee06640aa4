"""Deliveries that were refused, counted by the hour: no more than that of strangers' calls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.reconciliation import WebhookRefusal
from luma.services import clock
from luma.services.gateways.protocol import Stale, Unverified

KEPT_FOR = timedelta(days=30)
SHOWN_FOR = timedelta(days=7)
SAME = 60
"""Seconds by which ages differ that come from one wrong clock: deliveries take a while."""


@dataclass(frozen=True, slots=True)
class Counted:
    reason: str
    times: int
    last_at: datetime
    least_age: int | None
    most_age: int | None

    @property
    def clock_words(self) -> str | None:
        """When all of them are off by the same, it is a clock that is."""
        least, most = self.least_age, self.most_age
        if self.times < 2 or least is None or most is None or most - least > SAME:
            return None
        minutes = max(1, abs(least + most) // 120)
        way = "fast" if least > 0 else "slow"
        return (
            f"All of them are off by about {minutes:,} minutes: the clock of this machine is that "
            f"much {way}. Set it by the network (NTP)."
        )


def note(session: Session, refused: Sequence[Unverified]) -> None:
    """Count calls to the webhook that proved nothing. Together they are a row for each reason."""
    now = clock.now()
    for reason in sorted({str(one) for one in refused}):
        same = [one for one in refused if str(one) == reason]
        ages = [one.age for one in same if isinstance(one, Stale)]
        new = insert(WebhookRefusal).values(
            hour=now.replace(minute=0, second=0, microsecond=0),
            reason=reason[:100],
            times=len(same),
            last_at=now,
            least_age=min(ages, default=None),
            most_age=max(ages, default=None),
        )
        row, added = WebhookRefusal, new.excluded
        counted = {
            "times": row.times + added.times,
            "last_at": added.last_at,
            "least_age": func.least(row.least_age, added.least_age),
            "most_age": func.greatest(row.most_age, added.most_age),
        }
        keys = [row.hour, row.reason]
        session.execute(new.on_conflict_do_update(index_elements=keys, set_=counted))


def of_the_week(session: Session) -> tuple[Counted, ...]:
    """By reason, the most frequent first."""
    row = WebhookRefusal
    rows = session.execute(
        select(
            row.reason,
            func.sum(row.times),
            func.max(row.last_at),
            func.min(row.least_age),
            func.max(row.most_age),
        )
        .where(row.hour > clock.now() - SHOWN_FOR)
        .group_by(row.reason)
        .order_by(func.sum(row.times).desc())
    )
    return tuple(_counted(rows))


def forget_old(session: Session) -> None:
    old = WebhookRefusal.hour < clock.now() - KEPT_FOR
    session.execute(delete(WebhookRefusal).where(old))


def _counted(rows: Iterable[tuple[str, int, datetime, int | None, int | None]]) -> list[Counted]:
    return [
        Counted(reason, int(times), last_at, least, most)
        for reason, times, last_at, least, most in rows
    ]
