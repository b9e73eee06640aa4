"""What AI costs: reserved before, given back or settled after, never over the month's cap.

Amounts are whole millionths of a US dollar; 10,000 are a cent.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.assistant import AiCall, AiMonth, CallPurpose, CallStatus
from luma.models.user import User
from luma.services import clock, policies
from luma.services.gateways.ai import Bill, is_set_up
from luma.services.policies import Actor
from luma.settings import settings

CENT = 10_000
LOST_AFTER = timedelta(minutes=10)
MOST_LINES = 500

USED_UP = (
    "This month's AI budget is used up. It begins anew on the first; "
    "until then the lesson's own sentences cost nothing."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a call is for, and the most it can cost."""

    purpose: CallPurpose
    micros: int
    course_id: int
    lesson_id: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an instructor stands this month. Reserved counts as spent."""

    is_on: bool
    spent_micros: int
    cap_micros: int

    @property
    def left_micros(self) -> int:
        return max(0, self.cap_micros - self.spent_micros)


@dataclass(frozen=True, slots=True)
class Spending:
    """A line of the admin's list: one instructor in one month."""

    instructor_id: int
    name: str
    month: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    micros: int


def take(session: Session, instructor_id: int, wish: Wish) -> int:
    """Reserve what a call may cost. Returns its id. Raises RuleBroken over the month's cap."""
    month = _month()
    if not _reserve(session, instructor_id, month, wish.micros):
        raise RuleBroken(USED_UP)
    call = AiCall(
        instructor_id=instructor_id,
        course_id=wish.course_id,
        lesson_id=wish.lesson_id,
        purpose=wish.purpose,
        month=month,
        reserved_micros=wish.micros,
        asked_at=clock.now(),
    )
    session.add(call)
    session.flush()
    return call.id


def settle(session: Session, call_id: int, bill: Bill, *, is_done: bool) -> None:
    """Write down what it really cost and give the rest back. Twice changes nothing."""
    call = _open_call(session, call_id)
    if call is None:
        return
    call.model = bill.model[:100]
    call.prompt_tokens, call.completion_tokens = bill.prompt_tokens, bill.completion_tokens
    _close(session, call, CallStatus.DONE if is_done else CallStatus.FAILED, bill.micros or 0)


def settle_lost(session: Session) -> None:
    """Calls of a process that ended: they may have been paid, so they count as they were taken."""
    lost = select(AiCall).where(
        AiCall.status == CallStatus.OPEN, AiCall.asked_at < clock.now() - LOST_AFTER
    )
    for call in session.scalars(lost.limit(500).with_for_update(skip_locked=True)):
        _close(session, call, CallStatus.LOST, call.reserved_micros)


def standing(session: Session, actor: Actor) -> Standing:
    policies.ensure_teaches(actor)
    spent = session.scalar(
        select(AiMonth.spent_micros).where(
            AiMonth.instructor_id == actor.id, AiMonth.month == _month()
        )
    )
    return Standing(is_set_up(), spent or 0, _cap())


def cost_of(session: Session, call_id: int | None) -> int | None:
    """What a settled call cost; None while it is open and for what asked nobody."""
    if call_id is None:
        return None
    return session.scalar(
        select(AiCall.cost_micros).where(AiCall.id == call_id, AiCall.status != CallStatus.OPEN)
    )


def spending(session: Session, actor: Actor) -> list[Spending]:
    """For the admin: who spent what, the newest month first. Open calls count as reserved."""
    policies.ensure_admin(actor)
    micros = case(
        (AiCall.status == CallStatus.OPEN, AiCall.reserved_micros), else_=AiCall.cost_micros
    )
    failed = AiCall.status.in_([CallStatus.FAILED, CallStatus.LOST])
    rows = session.execute(
        select(User.id, User.name, AiCall.month, func.count())
        .add_columns(func.count().filter(failed))
        .add_columns(func.sum(AiCall.prompt_tokens), func.sum(AiCall.completion_tokens))
        .add_columns(func.sum(micros))
        .join(User, User.id == AiCall.instructor_id)
        .group_by(User.id, User.name, AiCall.month)
        .order_by(AiCall.month.desc(), func.sum(micros).desc(), User.id)
        .limit(MOST_LINES)
    )
    return [Spending(*row[:5], *map(int, row[5:])) for row in rows]


def in_cents(micros: int) -> str:
    """For people: "0.13 cents", "12.4 cents", "$1.20". A cost is never shown as nothing."""
    if micros >= 100 * CENT:
        cents = -(-micros // CENT)
        return f"${cents // 100}.{cents % 100:02}"
    hundredths = -(-micros // (CENT // 100))
    whole, rest = divmod(hundredths, 100)
    if rest == 0:
        return "1 cent" if whole == 1 else f"{whole} cents"
    return f"{whole}.{rest:02} cents"


def _reserve(session: Session, instructor_id: int, month: str, micros: int) -> bool:
    """One statement: of many at once none goes over the cap."""
    if micros > _cap():
        return False
    new = insert(AiMonth).values(instructor_id=instructor_id, month=month, spent_micros=micros)
    taken = session.scalar(
        new.on_conflict_do_update(
            index_elements=["instructor_id", "month"],
            set_={"spent_micros": AiMonth.spent_micros + micros},
            where=AiMonth.spent_micros + micros <= _cap(),
        ).returning(AiMonth.id)
    )
    return taken is not None


def _open_call(session: Session, call_id: int) -> AiCall | None:
    return session.scalar(
        select(AiCall)
        .where(AiCall.id == call_id, AiCall.status == CallStatus.OPEN)
        .with_for_update()
    )


def _close(session: Session, call: AiCall, status: CallStatus, cost: int) -> None:
    call.finish(status, cost, clock.now())
    session.flush()
    changed = AiMonth.spent_micros - call.reserved_micros + cost
    session.execute(
        update(AiMonth)
        .where(AiMonth.instructor_id == call.instructor_id, AiMonth.month == call.month)
        .values(spent_micros=func.greatest(changed, 0))
    )


def _month() -> str:
    return f"{clock.now():%Y-%m}"


def _cap() -> int:
    return settings().ai_monthly_cents * CENT
