"""What I have sold, and what a school has: the figures, the orders, what a bank wants to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute
from luma.models.user import rehearsal_buyers
from luma.services import clock, gateways, policies, texts
from luma.services.money import figures, payments_health, sale_list, spans
from luma.services.money.figures import Block
from luma.services.money.sale_list import Found, Wish
from luma.services.money.spans import Span
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import CourseStatus, DisputeStatus, Money

OPEN_DISPUTES = [status for status in DisputeStatus if status.is_open]
MOST_COURSES = 200
MOST_DISPUTES = 50


class Mode(StrEnum):
    """Which money it is. The three are never in one sum."""

    LIVE = "live"
    TEST = "test"
    """Stripe with test keys."""
    SANDBOX = "sandbox"

    @property
    def is_real(self) -> bool:
        return self is Mode.LIVE


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the address, as it was typed."""

    range: str = spans.USUAL
    first: str = ""
    last: str = ""
    course: str = ""
    words: str = ""
    state: str = sale_list.ALL
    mode: str = ""


@dataclass(frozen=True, slots=True)
class CourseChoice:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class OnSale:
    id: str
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class OpenDispute:
    order: str
    course: str
    amount: Money
    reason: str
    due_by: datetime | None
    moved_money: bool
    """False for an inquiry."""


@dataclass(frozen=True, slots=True)
class Sales:
    span: Span
    problem: str
    """Why the days asked for are not those shown, or ""."""
    mode: Mode
    other_modes: tuple[Mode, ...]
    """In which there is something too."""
    course: str
    state: str
    words: str
    courses: tuple[CourseChoice, ...]
    blocks: tuple[Block, ...]
    disputes: tuple[OpenDispute, ...]
    found: Found
    share: OnSale | None
    """What to share, for whoever has sold nothing yet."""
    is_set_up: bool
    """Whether anybody can pay here."""
    warning: str | None
    """Why courses open late now, although people can pay."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose sales. An instructor's own, or with None the whole school's."""

    instructor_id: int | None

    def conditions(self) -> list[ColumnElement[bool]]:
        return [] if self.instructor_id is None else [Course.instructor_id == self.instructor_id]


def mine(session: Session, actor: Actor, asked: Asked, most: int) -> Sales:
    policies.ensure_teaches(actor)
    return _sales(session, Scope(actor.id), asked, most)


def school(session: Session, actor: Actor, asked: Asked, most: int) -> Sales:
    policies.ensure_admin(actor)
    return _sales(session, Scope(None), asked, most)


def my_rows(
    session: Session, actor: Actor, asked: Asked, after: sale_list.Place | None
) -> sale_list.Page:
    """Some more of all rows that are asked for, as a spreadsheet wants them."""
    policies.ensure_teaches(actor)
    return _rows(session, Scope(actor.id), asked, after)


def school_rows(
    session: Session, actor: Actor, asked: Asked, after: sale_list.Place | None
) -> sale_list.Page:
    policies.ensure_admin(actor)
    return _rows(session, Scope(None), asked, after)


def mode_now() -> Mode:
    """Of what is sold today."""
    if settings().uses_sandbox:
        return Mode.SANDBOX
    return Mode.LIVE if settings().livemode else Mode.TEST


def _sales(session: Session, scope: Scope, asked: Asked, most: int) -> Sales:
    span, problem = _span(asked)
    mode, wish = _mode(asked), _wish(asked)
    about = [*scope.conditions(), *_of_course(asked)]
    on_orders = [*about, *_in_mode(mode, of_order=True)]
    is_set_up = gateways.current().is_set_up()
    return Sales(
        span=span,
        problem=problem,
        mode=mode,
        other_modes=_other_modes(session, scope, mode),
        course=texts.key(asked.course),
        state=wish.state,
        words=wish.words,
        courses=_courses(session, scope),
        blocks=figures.blocks(session, span, *about, *_in_mode(mode)),
        disputes=_disputes(session, [*about, *_in_mode(mode)]),
        found=sale_list.found(session, span, wish, on_orders, most),
        share=_on_sale(session, scope),
        is_set_up=is_set_up,
        warning=payments_health.warning(session) if is_set_up else None,
    )


def _rows(
    session: Session, scope: Scope, asked: Asked, after: sale_list.Place | None
) -> sale_list.Page:
    span, _ = _span(asked)
    about = [*scope.conditions(), *_of_course(asked), *_in_mode(_mode(asked), of_order=True)]
    return sale_list.page(session, span, _wish(asked), about, after)


def _span(asked: Asked) -> tuple[Span, str]:
    return spans.read(asked.range, asked.first, asked.last, clock.now().date())


def _mode(asked: Asked) -> Mode:
    return Mode(asked.mode) if asked.mode in list(Mode) else mode_now()


def _wish(asked: Asked) -> Wish:
    return Wish(
        texts.line(asked.words, "Search", 100, required=False), sale_list.state(asked.state)
    )


def _of_course(asked: Asked) -> list[ColumnElement[bool]]:
    return [Course.public_id == texts.key(asked.course)] if asked.course else []


def _in_mode(mode: Mode, *, of_order: bool = False) -> list[ColumnElement[bool]]:
    """Stripe's sessions say by their ids with which keys they were made."""
    if mode is Mode.SANDBOX:
        return [Order.gateway == "sandbox", Order.buyer_id.not_in(rehearsal_buyers())]
    tested = Payment.session_id.startswith("cs_test_", autoescape=True)
    if of_order:
        tested = exists().where(
            CheckoutAttempt.order_id == Order.id,
            CheckoutAttempt.session_id.startswith("cs_test_", autoescape=True),
        )
    return [Order.gateway == "stripe", tested if mode is Mode.TEST else ~tested]


def _other_modes(session: Session, scope: Scope, mode: Mode) -> tuple[Mode, ...]:
    others = [other for other in Mode if other is not mode]
    sold = select(Payment.id).join(Order, Order.id == Payment.order_id)
    of_course = sold.join(Course, Course.id == Order.course_id).where(*scope.conditions())
    asked = select(*(of_course.where(*_in_mode(other)).exists() for other in others))
    known = zip(others, session.execute(asked).one(), strict=True)
    return tuple(other for other, is_there in known if is_there)


def _courses(session: Session, scope: Scope) -> tuple[CourseChoice, ...]:
    """Those that anybody has ordered, by title; deleted ones too."""
    ordered = exists().where(
        Order.course_id == Course.id, Order.buyer_id.not_in(rehearsal_buyers())
    )
    listed = select(Course.public_id, Course.title).where(*scope.conditions(), ordered)
    rows = session.execute(listed.order_by(Course.title, Course.id).limit(MOST_COURSES))
    return tuple(CourseChoice(*row) for row in rows)


def _on_sale(session: Session, scope: Scope) -> OnSale | None:
    row = session.execute(
        select(Course.public_id, Course.slug, Course.title)
        .where(*scope.conditions(), Course.status == CourseStatus.PUBLISHED, Course.price_minor > 0)
        .order_by(Course.published_at.desc())
        .limit(1)
    ).first()
    return OnSale(*row) if row else None


def _disputes(
    session: Session, conditions: Sequence[ColumnElement[bool]]
) -> tuple[OpenDispute, ...]:
    """What a bank waits to hear about, the soonest first, of whatever day."""
    rows = session.execute(
        select(Dispute, Order.public_id, Course.title)
        .join(Payment, Payment.id == Dispute.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .join(Course, Course.id == Order.course_id)
        .where(Dispute.status.in_(OPEN_DISPUTES), *conditions)
        .order_by(Dispute.due_by.asc().nulls_last(), Dispute.id)
        .limit(MOST_DISPUTES)
    )
    return tuple(
        OpenDispute(
            order=order,
            course=title,
            amount=dispute.amount,
            reason=dispute.reason.replace("_", " "),
            due_by=dispute.due_by,
            moved_money=dispute.status.suspends,
        )
        for dispute, order, title in rows
    )
