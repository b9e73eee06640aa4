"""One sale as one line of proof: from the checkout to the mail, each step with its time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.services import clock, policies
from luma.services.gateways import INSIDE, NAMES
from luma.services.gateways.checkout_events import COMPLETED, SUCCEEDED_LATE
from luma.services.money import orders, reversal_steps, tracks
from luma.services.policies import Actor
from luma.values import AttemptStatus, EventStatus, LetterStatus, OrderStatus

State = Literal["done", "waiting", "stuck", "failed"]

PATIENCE = timedelta(minutes=2)
"""Longer than this between money and access is not usual."""

PAYS = (COMPLETED, SUCCEEDED_LATE)


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    when: datetime | None
    state: State
    words: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """`trouble` is why the sale is stuck, None when it is not."""

    order: str
    support_code: str
    status: OrderStatus
    course_title: str
    gateway: str
    """Stripe, or the sandbox."""
    steps: tuple[Step, ...]
    trouble: str | None
    may_reconcile: bool

    @property
    def is_stuck(self) -> bool:
        return self.trouble is not None


@dataclass(frozen=True, slots=True)
class Traces:
    """All that is known of one order."""

    order: Order
    visits: list[CheckoutAttempt]
    payments: list[Payment]
    events: list[StripeEvent]
    letters: list[Letter]
    is_open: bool
    """Whether the buyer has the course now."""

    @property
    def paid(self) -> Payment | None:
        """The first that fits the order, else the first."""
        return min(self.payments, key=lambda one: (one.mismatch is not None, one.id), default=None)

    @property
    def came_back(self) -> datetime | None:
        return max((one.returned_at for one in self.visits if one.returned_at), default=None)

    @property
    def waiting(self) -> list[StripeEvent]:
        return [one for one in self.events if one.status is not EventStatus.DONE]


def of(session: Session, actor: Actor, order: object) -> Timeline:
    """By the order's id or support code, for its buyer, its seller and admins. Raises NotFound."""
    found = tracks.order(session, order)
    course = session.get_one(Course, found.course_id)
    if found.buyer_id != actor.id:
        policies.ensure_sells(actor, course)
    traces = _traces(session, found)
    trouble = _trouble(traces)
    steps = (*_sale(traces, trouble), *_afterwards(session, traces))
    return Timeline(
        order=found.public_id,
        support_code=tracks.support_code(found.public_id),
        status=found.status,
        course_title=course.title,
        gateway=NAMES[found.gateway],
        steps=steps,
        trouble=trouble,
        may_reconcile=actor.is_admin or course.instructor_id == actor.id,
    )


def came_back(session: Session, actor: Actor, public_id: str) -> None:
    """The buyer is back from the gateway's page. That proves nothing; it is when to expect news."""
    order = orders.order(session, actor, public_id)
    newest = (
        select(CheckoutAttempt.id)
        .join(Order, Order.id == CheckoutAttempt.order_id)
        .where(
            Order.public_id == order.public_id,
            Order.status == OrderStatus.OPEN,
            CheckoutAttempt.session_id.is_not(None),
        )
        .order_by(CheckoutAttempt.id.desc())
        .limit(1)
    )
    session.execute(
        update(CheckoutAttempt)
        .where(CheckoutAttempt.id.in_(newest), CheckoutAttempt.returned_at.is_(None))
        .values(returned_at=clock.now())
    )


def _traces(session: Session, order: Order) -> Traces:
    visits = select(CheckoutAttempt).where(CheckoutAttempt.order_id == order.id)
    payments = select(Payment).where(Payment.order_id == order.id).order_by(Payment.id)
    enrolled = select(Enrolment.active).where(
        Enrolment.student_id == order.buyer_id, Enrolment.course_id == order.course_id
    )
    return Traces(
        order,
        list(session.scalars(visits.order_by(CheckoutAttempt.id))),
        list(session.scalars(payments)),
        list(session.scalars(tracks.events_of(tracks.names(session, order)))),
        _letters(session, order),
        bool(session.scalar(enrolled)),
    )


def _letters(session: Session, order: Order) -> list[Letter]:
    """Letters about an order name it; kept for three months."""
    name = order.public_id
    about = or_(
        Letter.text.contains(name, autoescape=True),
        Letter.key.contains(name.replace("_", "-"), autoescape=True),
        Letter.button_path.contains(name, autoescape=True),
    )
    written = select(Letter).where(Letter.user_id == order.buyer_id, about)
    return list(session.scalars(written.order_by(Letter.id)))


def _trouble(traces: Traces) -> str | None:
    """Why a person should look now, in one sentence."""
    order, now = traces.order, clock.now()
    if any(one.status is EventStatus.DEAD for one in traces.waiting):
        return "An event about this sale could not be applied for a day."
    if any(one.received_at < now - PATIENCE for one in traces.waiting):
        return "An event about this sale has arrived and is not applied yet."
    if traces.payments and order.status in (OrderStatus.OPEN, OrderStatus.PENDING):
        return "The money is here, and the course is not open."
    back = traces.came_back
    if order.status is OrderStatus.OPEN and back and back < now - PATIENCE:
        return f"The buyer is back from paying, and {NAMES[order.gateway]} has not said a word."
    return None


def _sale(traces: Traces, trouble: str | None) -> Iterator[Step]:
    """The road from the checkout to the mail."""
    yield _opened(traces)
    paid = _paid(traces, trouble)
    yield paid
    event = next((one for one in traces.events if one.type in PAYS), None)
    if paid.state in ("done", "stuck") or event:
        yield from _heard(traces, event, trouble)
    if paid.state != "failed":
        yield _access(traces, trouble)
        if not any(one.status is LetterStatus.SENT for one in traces.letters):
            yield from _no_letter_yet(traces)
    yield from map(_mail, traces.letters)


def _opened(traces: Traces) -> Step:
    first = min((one.created_at for one in traces.visits), default=traces.order.created_at)
    more = f", {len(traces.visits)} visits" if len(traces.visits) > 1 else ""
    words = f"{traces.order.price.words()} at {_who(traces)}{more}"
    return Step("Checkout opened", first, "done", words)


def _paid(traces: Traces, trouble: str | None) -> Step:
    status, came_back = traces.order.status, traces.came_back
    if payment := traces.paid:
        return Step("Paid", payment.paid_at, "done", payment.amount.words())
    if status is OrderStatus.FAILED:
        return Step("Not paid", traces.order.updated_at, "failed", "The payment did not go through")
    if status is OrderStatus.EXPIRED:
        return Step("Not paid", traces.order.updated_at, "failed", "The checkout has expired")
    if any(one.status is AttemptStatus.AWAITING for one in traces.visits):
        return Step("Paid", None, "waiting", "The buyer’s bank is still confirming")
    if came_back:
        words = "The buyer came back from the payment page"
        return Step("Paid", came_back, "stuck" if trouble else "waiting", words)
    return Step("Paid", None, "stuck" if trouble else "waiting", "Nobody has paid yet")


def _heard(traces: Traces, event: StripeEvent | None, trouble: str | None) -> Iterator[Step]:
    if event is None and traces.order.discount_minor == traces.order.price.minor:
        yield Step("No gateway needed", traces.order.paid_at, "done", "A code took off all of it")
        return
    if event is None and traces.payments:
        words = f"{_who(traces, start=True)} was asked, because no event came"
        yield Step("Event received", None, "done", words)
        return
    if event is None:
        yield Step("Event received", None, "stuck" if trouble else "waiting", "Nothing came yet")
        return
    is_applied = event.status is EventStatus.DONE
    seconds = max(0, int((event.received_at - event.created_at).total_seconds()))
    words = f"{seconds} s after it happened" if is_applied else "Not applied yet"
    state: State = "done" if is_applied else "stuck" if trouble else "waiting"
    yield Step("Event received", event.received_at, state, words)
    if event.source == "pull":
        words = f"Fetched from {_who(traces)} with our own key"
        yield Step("Sender known", event.received_at, "done", words)
    else:
        yield Step("Signature good", event.received_at, "done", "Signed with our secret")


def _access(traces: Traces, trouble: str | None) -> Step:
    order, payment = traces.order, traces.paid
    if order.paid_at:
        words = "" if traces.is_open else order.access_ended_reason or "It has ended since"
        return Step("Access granted", order.paid_at, "done", words)
    if payment and payment.mismatch:
        return Step("No access", payment.paid_at, "failed", payment.mismatch)
    return Step("Access granted", None, "stuck" if trouble else "waiting")


def _no_letter_yet(traces: Traces) -> Iterator[Step]:
    """Old letters are not kept: then nothing is said about them."""
    is_young = traces.order.created_at > clock.now() - timedelta(days=80)
    if is_young and not traces.letters:
        yield Step("Mail sent", None, "waiting")


def _mail(letter: Letter) -> Step:
    match letter.status:
        case LetterStatus.SENT:
            return Step("Mail sent", letter.settled_at, "done", letter.subject)
        case LetterStatus.WAITING:
            return Step("Mail waits", None, "waiting", letter.subject)
        case _:
            return Step("Mail not sent", letter.settled_at, "failed", letter.subject)


def _afterwards(session: Session, traces: Traces) -> Iterable[Step]:
    """What went back, in the order in which it did."""
    payments = [one.id for one in traces.payments]
    steps = [
        Step(one.what, one.when, "failed" if one.has_failed else _done(one.is_done), one.words)
        for one in reversal_steps.of(session, payments, traces.events)
    ]
    return sorted(steps, key=lambda step: step.when or clock.now())


def _done(is_done: bool) -> State:
    return "done" if is_done else "waiting"


def _who(traces: Traces, *, start: bool = False) -> str:
    return (NAMES if start else INSIDE)[traces.order.gateway]
