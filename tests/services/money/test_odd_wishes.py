"""What a hostile browser sends to the pages of money: a sentence comes back, never a fault."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy.orm import Session

from luma.errors import LumaError
from luma.services.admin import jobs
from luma.services.money import (
    coupons,
    desk,
    endpoint_repair,
    evidence,
    hand_payouts,
    reconciliation,
    refunds,
    rehearsal,
    timeline,
)
from luma.services.money.refunds import Access
from luma.services.policies import Actor
from luma.values import Role
from tests.bad_values import BAD_JSON, BAD_TEXT
from tests.factories import fresh, make_published, make_user, signed_in
from tests.selling import settled_sale

Ask = Callable[[Session, Actor, str, str], object]
COUPON = ("code", "off", "unit", "limit", "starts", "ends", "course")

THINGS: dict[str, Ask] = {
    "a coupon": lambda s, a, _, bad: coupons.end(s, a, bad),
    "a payout": lambda s, a, _, bad: hand_payouts.mark_paid(s, a, bad, "1.00", "By bank"),
    "a payout of": lambda s, a, _, bad: hand_payouts.mark_paid(s, a, f"{bad}:x:usd", "1", "Why"),
    "a sale": lambda s, a, _, bad: desk.sale(s, a, bad),
    "evidence": lambda s, a, _, bad: evidence.evidence(s, a, bad),
    "a refund of": lambda s, a, _, bad: refunds.ask(s, a, bad, "1", "Why"),
    "an amount": lambda s, a, order, bad: refunds.ask(s, a, order, bad, "Why"),
    "a claim": lambda s, a, _, bad: refunds.claim(s, a, bad, "Why"),
    "a timeline": lambda s, a, _, bad: timeline.of(s, a, bad),
    "a question": lambda s, a, _, bad: reconciliation.question(s, a, bad),
    "a rehearsal": lambda s, a, _, bad: rehearsal.begin(s, a, bad),
    "an event": lambda s, a, _, bad: jobs.apply_again(s, a, bad),
    "an endpoint": lambda s, a, _, bad: endpoint_repair.create(signed_in(s, a.id), bad),
}

FIELDS: dict[str, Callable[[Session, Actor, str, object], object]] = {
    "a note": lambda s, a, _, bad: hand_payouts.mark_paid(s, a, "1:sandbox:usd", "1.00", bad),
    "a sum": lambda s, a, _, bad: hand_payouts.mark_paid(s, a, "1:sandbox:usd", bad, "By bank"),
    "a reason to give": desk.give_access,
    "a reason to take": desk.take_access,
    "access afterwards": lambda _s, _a, _o, bad: Access.read(bad),
}
for _name in COUPON:
    FIELDS[_name] = lambda s, a, _, bad, name=_name: coupons.create(  # type: ignore[misc]  # the default binds the name
        s, a, {"off": "20", "unit": "usd" if name == "off" else "percent", name: bad}
    )


@pytest.fixture
def order(session: Session) -> str:
    return settled_sale(session, course=make_published(session)).order.public_id


@pytest.fixture
def everything(session: Session) -> Actor:
    """Somebody whom no right keeps from getting as far as the value."""
    return fresh(make_user(session, "Root", roles=(Role.ADMIN, Role.INSTRUCTOR)))


@pytest.mark.parametrize("ask", THINGS.values(), ids=THINGS)
def test_no_odd_name_of_a_thing_is_a_fault(
    session: Session, everything: Actor, order: str, ask: Ask
) -> None:
    for bad in BAD_TEXT:
        with suppress(LumaError), session.begin_nested():
            ask(session, everything, order, bad)


@pytest.mark.parametrize("ask", FIELDS.values(), ids=FIELDS)
def test_no_odd_field_is_a_fault(
    session: Session,
    everything: Actor,
    order: str,
    ask: Callable[[Session, Actor, str, object], object],
) -> None:
    for bad in BAD_JSON:
        with suppress(LumaError), session.begin_nested():
            ask(session, everything, order, bad)
