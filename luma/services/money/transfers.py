"""Send instructors what is due to them, and take back what was sent too much."""

import contextlib
from datetime import timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from luma import db
from luma.models.ledger import LedgerAccount, LedgerKind
from luma.models.order import Order
from luma.models.payee import Payee, Transfer, TransferStatus
from luma.models.payment import Payment
from luma.services import clock, gateways, queue
from luma.services.gateways.protocol import KEYS_LAST, Gateway, GatewayRefused, TransferRequest
from luma.services.money import access, ledger, owed, stopped_transfers
from luma.services.money.owed import OpenSale
from luma.values import Money

RESTS = timedelta(days=1)
"""After a refusal, before the same sale is tried again with a new key."""


def plan(session: Session) -> None:
    """Queue what every instructor with an account is due. Each is a transaction of its own."""
    ours = select(Payee.id).where(Payee.gateway == gateways.current().name)
    for number in session.scalars(ours.order_by(Payee.id)):
        queue.defer(session, "transfers.plan_for", once=f"transfers:{number}", payee_id=number)


def plan_for(session: Session, payee_id: int) -> None:
    """Write down what to send to one instructor, and what to take back. Twice changes nothing."""
    payee = session.get_one(Payee, payee_id)
    owed.hold(session, payee.instructor_id)
    session.refresh(payee)
    for sale in owed.open_sales(session, payee.instructor_id, payee.gateway):
        if sale.left < 0:
            _take_back(session, payee, sale)
    if not payee.is_payable:
        return
    for sale in owed.carry(session, payee.instructor_id, payee.gateway):
        if not _rests(session, sale.payment_id):
            _write(session, payee, sale.payment_id, Money(sale.left, sale.currency))


def send(transfer_id: int) -> None:
    """Ask the gateway for one transfer or reversal, and post its answer. Waits for the network.

    No answer: the job asks again with the same key. A refusal is kept and not asked again.
    """
    with db.unit_of_work() as session:
        transfer = session.get_one(Transfer, transfer_id)
        if not transfer.is_waiting:
            return
        request, gateway_name = _request(session, transfer)
        key, is_old = transfer.operation_key, clock.now() - transfer.created_at > KEYS_LAST
    gateway = gateways.current()
    if gateway.name != gateway_name:
        stopped_transfers.stop(transfer_id, None)
        return
    try:
        made = gateway.transfer_made(request) if is_old else None
        made = made or _asked(gateway, request, key)
    except GatewayRefused as refusal:
        stopped_transfers.stop(transfer_id, refusal)
    else:
        with db.unit_of_work() as session:
            note_sent(session, transfer_id, made)


def _asked(gateway: Gateway, request: TransferRequest, key: str) -> str:
    """What Stripe calls a failure of its own may have been done. Raises GatewayRefused."""
    try:
        return gateway.transfer(request, key)
    except GatewayRefused:
        with contextlib.suppress(GatewayRefused):
            if made := gateway.transfer_made(request):
                return made
        raise


def note_sent(session: Session, transfer_id: int, gateway_id: str) -> None:
    """Its fact and its movement in the ledger, in one transaction. Twice changes nothing.

    The gateway's event may be here before its answer, or after one that said no.
    """
    payment_id = session.get_one(Transfer, transfer_id).payment_id
    payment = session.get_one(Payment, payment_id)
    order = access.locked(session, payment.order_id)
    transfer = session.get_one(Transfer, transfer_id, with_for_update=True, populate_existing=True)
    if transfer.gateway_id is not None:
        return
    now = clock.now()
    transfer.sent(gateway_id, now)
    is_back = transfer.of_id is not None
    minor = -transfer.amount_minor if is_back else transfer.amount_minor
    kind = LedgerKind.TRANSFER_BACK if is_back else LedgerKind.TRANSFER
    lines = {LedgerAccount.INSTRUCTOR: minor, LedgerAccount.GATEWAY: -minor}
    posting = ledger.Posting(kind, gateway_id, now, lines)
    ledger.write(session, posting, order.gateway, payment, transfer.instructor_id)


def _request(session: Session, transfer: Transfer) -> tuple[TransferRequest, str]:
    payment = session.get_one(Payment, transfer.payment_id)
    order = session.get_one(Order, payment.order_id)
    original = session.get_one(Transfer, transfer.of_id) if transfer.of_id else None
    request = TransferRequest(
        reference=transfer.operation_key,
        order=order.public_id,
        account_id=transfer.account_id,
        charge_id=payment.charge_id or "",
        amount=transfer.amount,
        of=original.gateway_id if original else None,
    )
    return request, order.gateway


def _take_back(session: Session, payee: Payee, sale: OpenSale) -> None:
    """As much as was sent for this sale and has not been asked back; the rest is carried."""
    missing = -sale.left
    sent = select(Transfer).where(
        Transfer.payment_id == sale.payment_id,
        Transfer.status == TransferStatus.SENT,
        Transfer.of_id.is_(None),
    )
    for transfer in session.scalars(sent.order_by(Transfer.id.desc())):
        part = min(missing, transfer.amount_minor - _asked_back(session, transfer))
        if part > 0 and not _was_refused(session, transfer):
            _write(session, payee, sale.payment_id, Money(part, sale.currency), transfer)
            missing -= part


def _write(
    session: Session, payee: Payee, payment_id: int, amount: Money, of: Transfer | None = None
) -> None:
    number = next_number(session, payment_id)
    word = "reversal" if of else "transfer"
    again = f":{number}" if number > 1 else ""
    transfer = Transfer(
        payment_id=payment_id,
        instructor_id=payee.instructor_id,
        account_id=of.account_id if of else payee.account_id,
        number=number,
        of_id=of.id if of else None,
        amount=amount,
        operation_key=f"luma:{word}:{payment_id}:{payee.instructor_id}{again}",
        created_at=clock.now(),
    )
    session.add(transfer)
    session.flush()
    queue.defer(session, "transfers.send", transfer_id=transfer.id)


def next_number(session: Session, payment_id: int) -> int:
    """Needs `owed.hold` of the instructor."""
    tried = select(func.count()).where(Transfer.payment_id == payment_id)
    return (session.scalar(tried) or 0) + 1


def _asked_back(session: Session, transfer: Transfer) -> int:
    asked = select(func.coalesce(func.sum(Transfer.amount_minor), 0)).where(
        Transfer.of_id == transfer.id, Transfer.status != TransferStatus.REFUSED
    )
    return int(session.scalar(asked) or 0)


def _was_refused(session: Session, transfer: Transfer) -> bool:
    """Then it is not asked again: what is missing is kept back from the next sale."""
    refused = exists().where(
        Transfer.of_id == transfer.id,
        Transfer.status == TransferStatus.REFUSED,
        Transfer.retried_at.is_(None),
    )
    return bool(session.scalar(select(refused)))


def _rests(session: Session, payment_id: int) -> bool:
    """After a refusal for a day; after somebody took it back there, until an admin says so."""
    refused = and_(
        Transfer.of_id.is_(None),
        Transfer.status == TransferStatus.REFUSED,
        Transfer.done_at > clock.now() - RESTS,
    )
    in_the_way = exists().where(
        Transfer.payment_id == payment_id,
        Transfer.retried_at.is_(None),
        or_(refused, Transfer.is_outside),
    )
    return bool(session.scalar(select(in_the_way)))
