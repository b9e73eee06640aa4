"""What somebody does in Stripe's dashboard: an echo of ours, money sent ahead, money taken back."""

import contextlib
import json
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerKind, LedgerTransaction
from luma.models.payee import ForeignTransfer, Payee, Transfer, TransferStatus
from luma.models.payment import Payment, StripeEvent
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayDown, GatewayRefused, Thing, TransferRequest
from luma.services.money import transfers
from luma.values import EventStatus, Money
from tests.factories import make_published
from tests.selling import Sale, deliver, dispute_event, refund_event, settled_sale
from tests.shares import JSON, balance, own, payee_of, run, taken_back, transfer_event


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def payee(session: Session, course: Course) -> Payee:
    return payee_of(session, course)


def moves(session: Session) -> list[str]:
    """What the ledger has of transfers, carries and the like."""
    kinds = select(LedgerTransaction.kind).order_by(LedgerTransaction.id)
    return [kind.value for kind in session.scalars(kinds) if kind is not LedgerKind.PAYMENT]


def test_the_event_of_a_transfer_of_ours_is_an_echo(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    run(session, payee)
    ours = session.scalars(select(Transfer)).one()

    deliver(session, transfer_event(4410, name=ours.gateway_id or "", to=ours.account_id))

    assert moves(session) == ["transfer"]
    assert session.scalars(select(ForeignTransfer)).all() == []


@pytest.mark.parametrize("failure", [GatewayDown, GatewayRefused])
def test_an_event_tells_of_a_transfer_whose_answer_was_lost_or_was_no(
    session: Session,
    course: Course,
    payee: Payee,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
) -> None:
    settled_sale(session, course=course)
    asked: list[str] = []

    def lost(request: TransferRequest, key: str) -> str:
        asked.append(key)
        raise failure

    monkeypatch.setattr(sandbox, "transfer", lost)
    with contextlib.suppress(GatewayDown):
        run(session, payee)
    deliver(session, transfer_event(4410, name="tr_lost", metadata={"reference": asked[0]}))
    run(session, payee)

    (ours,) = session.scalars(select(Transfer))
    assert (ours.status, ours.gateway_id, len(asked)) == (TransferStatus.SENT, "tr_lost", 1)
    assert balance(session, course) == 0
    assert moves(session) == ["transfer"]


def test_two_transfers_made_by_one_wish_are_both_counted(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    run(session, payee)
    ours = session.scalars(select(Transfer)).one()

    deliver(session, transfer_event(4410, metadata={"reference": ours.operation_key}))

    assert balance(session, course) == -4410


def test_money_sent_ahead_is_kept_back_from_what_is_due(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)

    deliver(session, *[transfer_event(1000)] * 2)
    run(session, payee)
    run(session, payee)

    assert own(session) == [3410]
    assert balance(session, course) == 0
    assert moves(session) == ["transfer", "carry", "transfer"]


def test_money_sent_before_anything_is_due_waits_for_it(
    session: Session, course: Course, payee: Payee
) -> None:
    deliver(session, transfer_event(6000))
    run(session, payee)
    settled_sale(session, course=course)
    run(session, payee)
    first = own(session)
    settled_sale(session, course=course)
    run(session, payee)

    assert first == []
    assert own(session) == [2820]
    assert balance(session, course) == 0


def test_what_was_sent_ahead_and_taken_back_there_is_owed_again(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    deliver(session, transfer_event(1000))
    run(session, payee)

    deliver(session, transfer_event(1000, taken_back(400), taken_back(600, "trr_2")))
    run(session, payee)

    assert own(session) == [3410, 1000]
    assert balance(session, course) == 0


def test_a_transfer_for_a_sale_counts_to_that_sale(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    payment = session.scalars(select(Payment)).one()

    deliver(session, transfer_event(4410, source_transaction=payment.charge_id))
    run(session, payee)

    assert own(session) == []
    assert session.scalars(select(ForeignTransfer.payment_id)).one() == payment.id
    assert balance(session, course) == 0


def test_money_in_another_currency_is_never_mixed_up(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    payment = session.scalars(select(Payment)).one()
    euros = transfer_event(4410, currency="eur", source_transaction=payment.charge_id)

    deliver(session, euros)
    run(session, payee)

    assert own(session) == [4410]


def test_a_share_taken_back_there_is_not_sent_again_by_itself(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)
    run(session, payee)
    ours = session.scalars(select(Transfer)).one()
    told = transfer_event(4410, taken_back(1000), name=ours.gateway_id or "")

    deliver(session, told, told)
    run(session, payee)

    assert own(session) == [4410, -1000]
    assert balance(session, course) == 1000


def test_what_was_taken_back_there_is_not_asked_for_again(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    ours = session.scalars(select(Transfer)).one()
    deliver(session, transfer_event(4410, taken_back(1000), name=ours.gateway_id or ""))

    deliver(session, refund_event(sale))
    run(session, payee)

    assert own(session) == [4410, -1000, -3410]
    assert balance(session, course) == 0


def test_the_event_of_a_reversal_of_ours_is_an_echo_before_and_after_its_answer(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    deliver(session, refund_event(sale))
    transfers.plan_for(session, payee.id)
    ours, asked = session.scalars(select(Transfer).order_by(Transfer.id)).all()
    echo = taken_back(4410, "trr_1", asked.operation_key)

    deliver(session, transfer_event(4410, echo, name=ours.gateway_id or ""))
    run(session, payee)
    deliver(session, transfer_event(4410, echo, name=ours.gateway_id or ""))

    assert asked.gateway_id == "trr_1"
    assert own(session) == [4410, -4410]
    assert moves(session) == ["transfer", "refund", "transfer_back"]


def test_a_transfer_to_nobody_here_is_kept(session: Session, payee: Payee) -> None:
    deliver(session, transfer_event(900, to="acct_1Else"), transfer_event(900, to="acct_1Else"))

    kept = session.scalars(select(ForeignTransfer)).one()
    assert (kept.account_id, kept.instructor_id, kept.amount) == (
        "acct_1Else",
        None,
        Money(900, "usd"),
    )
    assert moves(session) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_it_is_heard_the_end_is_the_same(
    session: Session, course: Course, payee: Payee, order: tuple[int, ...]
) -> None:
    told = [
        transfer_event(1000),
        transfer_event(1000, taken_back(300)),
        transfer_event(1000, taken_back(300), taken_back(200, "trr_2")),
    ]

    deliver(session, *(told[number] for number in order))

    row = session.scalars(select(ForeignTransfer)).one()
    assert (row.back_minor, balance(session, course)) == (500, -500)


def test_what_lists_less_than_went_back_is_fetched_whole(
    session: Session, course: Course, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(transfer_event(1000, taken_back(300), taken_back(200, "trr_2")))["data"][
        "object"
    ]
    asked: list[tuple[Thing, str]] = []

    def found(kind: Thing, name: str) -> JSON:
        asked.append((kind, name))
        return dict(whole)

    monkeypatch.setattr(sandbox, "found", found)

    deliver(session, transfer_event(1000, taken_back(300), amount_reversed=500))

    assert asked == [(Thing.TRANSFER, "tr_outside")]
    assert balance(session, course) == -500


@pytest.mark.parametrize(
    "change", [{"destination": None}, {"amount": 12.5}, {"amount": 0}, {"currency": "xxx"}]
)
def test_a_transfer_that_makes_no_sense_is_kept_and_moves_nothing(
    session: Session, payee: Payee, change: JSON
) -> None:
    body = json.loads(transfer_event(1000))
    body["data"]["object"] |= change

    deliver(session, json.dumps(body))

    assert session.scalars(select(StripeEvent.status)).one() is EventStatus.PARKED
    assert moves(session) == []


def test_what_happens_inside_somebodys_account_moves_no_money_of_ours(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    for body in (refund_event(sale), dispute_event(sale), transfer_event(1000)):
        deliver(session, json.dumps(json.loads(body) | {"account": "acct_1Ines"}))

    assert moves(session) == []
    assert isinstance(sale, Sale)
