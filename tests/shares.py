"""Shares on their way to an instructor, and transfers as Stripe tells of them."""

import json

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerAccount, LedgerEntry
from luma.models.order import Order
from luma.models.payee import (
    ForeignTransfer,
    Payee,
    PayeeStatus,
    RefusalCause,
    Transfer,
    TransferStatus,
)
from luma.models.payment import Payment
from luma.services import clock
from luma.services.gateways import sandbox_events
from luma.services.gateways.protocol import GatewayRefused
from luma.services.gateways.transfer_events import TRANSFER_REVERSED, TRANSFERRED
from luma.services.money import stopped_transfers, transfers
from luma.values import Money
from tests.selling import Sale
from tests.standins import contract

JSON = dict[str, object]


def payee_of(
    session: Session,
    course: Course,
    status: PayeeStatus = PayeeStatus.ACTIVE,
    account: str = "acct_1Ines",
) -> Payee:
    """An account of the course's instructor that may receive money."""
    now = clock.now()
    made = Payee(
        instructor_id=course.instructor_id,
        gateway="sandbox",
        account_id=account,
        status=status,
        asked_at=now,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def run(session: Session, payee: Payee) -> None:
    """The periodic job, and what it queues."""
    transfers.plan_for(session, payee.id)
    waiting = select(Transfer.id).where(Transfer.status == TransferStatus.WAITING)
    for number in session.scalars(waiting.order_by(Transfer.id)).all():
        transfers.send(number)
    session.expire_all()


def own(session: Session) -> list[int]:
    """Transfers of ours as they are, what was taken back of them below zero."""
    rows = session.scalars(
        select(Transfer).where(Transfer.status == TransferStatus.SENT).order_by(Transfer.id)
    )
    return [-one.amount_minor if one.of_id else one.amount_minor for one in rows]


def balance(session: Session, course: Course) -> int:
    """What is still owed to the instructor, with what was sent for no sale in particular."""
    total = session.scalar(
        select(func.sum(LedgerEntry.minor)).where(
            LedgerEntry.account == LedgerAccount.INSTRUCTOR,
            LedgerEntry.instructor_id == course.instructor_id,
        )
    )
    return -int(total or 0)


def books(session: Session, sale: Sale) -> dict[str, int]:
    """What stands on each account of one sale."""
    rows = session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.minor))
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .where(Payment.order_id == sale.order.id)
        .group_by(LedgerEntry.account)
    )
    return {account.value: int(minor) for account, minor in rows if minor}


def transfer_event(
    minor: int,
    *back: JSON,
    name: str = "tr_outside",
    to: str = "acct_1Ines",
    currency: str = "usd",
    **changes: object,
) -> str:
    """Of a transfer of which so much went `back`, as Stripe tells it."""
    gone = sum(int(str(one["amount"])) for one in back)
    thing = contract.example("transfer") | {
        "id": name,
        "amount": minor,
        "currency": currency,
        "destination": to,
        "amount_reversed": gone,
        "reversed": gone == minor,
        "created": int(clock.now().timestamp()),
        "reversals": {"object": "list", "data": list(back), "has_more": False, "url": "/v1/x"},
    }
    kind = TRANSFER_REVERSED if back else TRANSFERRED
    body = sandbox_events.event(kind, thing | changes, clock.now())
    assert contract.event_faults(json.loads(body)) == []
    return body


def taken_back(minor: int, name: str = "trr_outside", reference: str = "") -> JSON:
    metadata = {"reference": reference} if reference else {}
    named = {"id": name, "amount": minor, "metadata": metadata, "currency": "usd"}
    return contract.example("transfer_reversal") | named


def stop_shares(session: Session, course: Course) -> None:
    """One share for each cause that there is, and money sent past LUMA: for looking at."""
    settled = select(Payment.id).join(Order, Order.id == Payment.order_id)
    of_it = settled.where(Order.course_id == course.id, Payment.settled_minor.is_not(None))
    long = "Your destination account needs to have at least one of the following capabilities."
    for payment_id, cause in zip(session.scalars(of_it), RefusalCause, strict=False):
        refusal = GatewayRefused("", long if cause is RefusalCause.ACCOUNT else "")
        transfer = Transfer(
            payment_id=payment_id,
            instructor_id=course.instructor_id,
            account_id="acct_1",
            number=1,
            amount=Money(4410, "usd"),
            operation_key=f"luma:transfer:{payment_id}",
            created_at=clock.now(),
        )
        why = stopped_transfers.in_words(cause, refusal, is_back=False)
        transfer.refuse(cause, why, clock.now())
        session.add(transfer)
    for name, who in (("tr_1Pgc7BB7WZ01zgkWVJfE40RX", course.instructor_id), ("tr_2", None)):
        session.add(
            ForeignTransfer(
                transfer_id=name,
                gateway="stripe",
                account_id="acct_1PgafTB7WZ01zgkW",
                instructor_id=who,
                amount=Money(125000, "usd"),
                back_minor=2500 if who else 0,
                happened_at=clock.now(),
            )
        )
    session.flush()
