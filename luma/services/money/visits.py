"""Visits to the gateway's checkout page: the one that waits for an answer, and how it is noted."""

from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import TooMany
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.services import clock, gateways
from luma.services.gateways.protocol import CheckoutRequest, CheckoutSession, GatewayRefused
from luma.services.money import access
from luma.values import AttemptStatus

UNANSWERED_FOR = timedelta(minutes=45)
"""How long the same key is asked again when no answer came; the page was never shown."""

SHOWABLE = timedelta(minutes=1)

MOST_AN_HOUR = 30
"""Visits that one buyer may open: each asks the gateway, which has its limits too."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A checkout to be asked of the gateway; asking again with the key opens no second one."""

    attempt_id: int
    course_id: int
    key: str
    request: CheckoutRequest


def known(earlier: list[CheckoutAttempt], course: Course) -> Visit | str | None:
    """The page that another tab has opened, or the visit that has had no answer yet.

    Both from one look at the attempts: an answer that came between two looks would be neither.
    """
    now = clock.now()
    for visit in filter(attrgetter("is_open"), reversed(earlier)):
        if visit.url and visit.expires_at and visit.expires_at > now + SHOWABLE:
            return visit.url
        if visit.url is None and visit.created_at > now - UNANSWERED_FOR:
            request = CheckoutRequest.thawed(visit.request)
            return Visit(visit.id, course.id, visit.operation_key, request)
    return None


def ensure_few(session: Session, buyer_id: int) -> None:
    """Raises TooMany for a buyer who goes to and fro as no person does."""
    since = clock.now() - timedelta(hours=1)
    opened = (
        select(func.count(CheckoutAttempt.id))
        .join(Order, Order.id == CheckoutAttempt.order_id)
        .where(Order.buyer_id == buyer_id, CheckoutAttempt.created_at > since)
    )
    if (session.scalar(opened) or 0) >= MOST_AN_HOUR:
        raise TooMany("You have gone to pay very often within an hour. Try again in an hour.")


def begin(visit: Visit) -> str:
    """Ask the gateway and return the page's address. Waits for the network."""
    try:
        opened = gateways.current().open_checkout(visit.request, visit.key)
    except GatewayRefused:
        with db.unit_of_work() as session:
            _note_refused(session, visit.attempt_id)
        raise
    with db.unit_of_work() as session:
        _note_opened(session, visit.attempt_id, opened)
    return opened.url


def _note_opened(session: Session, attempt_id: int, opened: CheckoutSession) -> None:
    attempt = session.get_one(CheckoutAttempt, attempt_id, with_for_update=True)
    attempt.session_id = opened.session_id
    attempt.url = opened.url
    attempt.expires_at = opened.expires_at


def _note_refused(session: Session, attempt_id: int) -> None:
    attempt = session.get_one(CheckoutAttempt, attempt_id)
    order = access.locked(session, attempt.order_id)
    attempt.note(AttemptStatus.FAILED)
    access.derive(session, order)
