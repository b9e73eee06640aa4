"""Post what the facts of a payment say into the ledger: once each, and in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund
from luma.models.user import rehearsal_buyers
from luma.services import clock
from luma.services.money import journal, settlements, shares
from luma.services.money.journal import Lines, Posting
from luma.services.money.shares import Gone, Shares
from luma.values import DisputeStatus

__all__ = ["Lines", "Posting"]

RETURNED = (DisputeStatus.WON, DisputeStatus.PREVENTED, DisputeStatus.WARNING_CLOSED)


@dataclass(frozen=True, slots=True)
class Whose:
    """An instructor's account, for one payment or for no sale in particular."""

    payment_id: int | None
    instructor_id: int
    currency: str


@dataclass(frozen=True, slots=True)
class Share:
    """A line on such an account."""

    whose: Whose
    minor: int


@dataclass
class Book:
    """A payment, its shares, and what is posted of it. `back` has gone back, as it was paid."""

    payment: Payment
    gateway: str
    instructor_id: int
    shares: Shares
    keys: set[str]
    back: int = 0
    posted: list[Posting] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, payment: Payment) -> Self | None:
        """None while nobody knows what it settled to: then there is nothing to post.

        Nor is there for a rehearsal, in which nobody earns anything.
        """
        if payment.settled_minor is None:
            return None
        order, instructor_id, is_rehearsal = session.execute(
            select(Order, Course.instructor_id, Order.buyer_id.in_(rehearsal_buyers()))
            .join(Course, Course.id == Order.course_id)
            .where(Order.id == payment.order_id)
        ).one()
        if is_rehearsal:
            return None
        split = shares.of(
            payment.amount_minor,
            payment.settled_minor,
            payment.tax_minor,
            order.fee_bps,
            is_clear=payment.mismatch is None,
        )
        return cls(payment, order.gateway, instructor_id, split, _keys(session, payment))

    def has(self, kind: LedgerKind, thing: object) -> bool:
        return f"{kind}:{thing}" in self.keys

    def take(self, posting: Posting) -> None:
        self.keys.add(posting.key)
        self.posted.append(posting)

    def moved(self, by: int) -> Gone:
        """Count `by` more as gone back, or less; what moves because of it."""
        before = self.shares.gone(self.back)
        self.back += by
        return self.shares.gone(self.back) - before

    @property
    def rest(self) -> LedgerAccount:
        unclear = self.payment.mismatch is not None
        return LedgerAccount.UNCLEAR if unclear else LedgerAccount.PLATFORM_FEE


def post(session: Session, payment_id: int) -> None:
    """Bring the ledger to what is known of a payment. Its order is held, see access.locked.

    Posting is telling a fact apart by its id, so that calling it again changes nothing.
    """
    session.flush()
    payment = session.get_one(Payment, payment_id, populate_existing=True)
    book = Book.of(session, payment)
    if book is None:
        return
    _post_payment(book)
    refunds = select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)
    disputes = select(Dispute).where(Dispute.payment_id == payment_id).order_by(Dispute.id)
    found = [*session.scalars(refunds.execution_options(populate_existing=True))]
    contested = [*session.scalars(disputes.execution_options(populate_existing=True))]
    book.back = sum(_already_back(book, [*found, *contested]))
    for refund in found:
        _post_refund(book, refund)
    for dispute in contested:
        _post_dispute(book, dispute)
    for posting in book.posted:
        write(session, posting, book.gateway, payment, book.instructor_id)
    settlements.post(session, payment, book.gateway)


def write(
    session: Session, posting: Posting, gateway: str, payment: Payment, instructor_id: int
) -> None:
    """One movement of one payment. Raises ValueError for lines that do not come to zero."""
    if payment.settled_currency is None:
        raise ValueError(f"{posting.key} is of a payment that is not settled")
    whose = Whose(payment.id, instructor_id, payment.settled_currency)
    write_for(session, posting, gateway, whose)


def write_for(session: Session, posting: Posting, gateway: str, whose: Whose) -> None:
    """The same for what may be of no sale in particular."""
    lines = [
        LedgerEntry(
            account=account,
            minor=minor,
            currency=whose.currency,
            payment_id=whose.payment_id,
            instructor_id=whose.instructor_id if account is LedgerAccount.INSTRUCTOR else None,
        )
        for account, minor in posting.lines.items()
        if minor
    ]
    journal.write(session, posting, gateway, whose.payment_id, lines)


def carry(session: Session, thing: str, gateway: str, kept: Share, from_debt: Share) -> None:
    """Keep back of one sale's share what another sale's was paid too much."""
    posting = Posting(LedgerKind.CARRY, thing, clock.now(), {})
    lines = [
        LedgerEntry(
            account=LedgerAccount.INSTRUCTOR,
            minor=share.minor,
            currency=share.whose.currency,
            payment_id=share.whose.payment_id,
            instructor_id=share.whose.instructor_id,
        )
        for share in (kept, from_debt)
    ]
    journal.write(session, posting, gateway, kept.whose.payment_id, lines)


def _post_payment(book: Book) -> None:
    """The gateway keeps its fee at once; everything else is owed or earned."""
    if book.has(LedgerKind.PAYMENT, book.payment.id):
        return
    fee, split = book.payment.fee_minor or 0, book.shares
    lines = {
        LedgerAccount.GATEWAY: split.settled - fee,
        LedgerAccount.GATEWAY_FEE: fee,
        LedgerAccount.TAX: -split.tax,
        LedgerAccount.INSTRUCTOR: -split.instructor,
        book.rest: -split.rest,
    }
    book.take(Posting(LedgerKind.PAYMENT, str(book.payment.id), book.payment.paid_at, lines))


def _post_refund(book: Book, refund: Refund) -> None:
    """Counted from the moment it is asked for; a refund that fails in the end is undone."""
    is_out = book.has(LedgerKind.REFUND, refund.refund_id)
    is_undone = book.has(LedgerKind.REFUND_BACK, refund.refund_id)
    minor = _paid_part(book, refund)
    if refund.status.counts and not is_out:
        gone = book.moved(minor)
        lines = _given_back(book, gone, LedgerAccount.GATEWAY)
        book.take(Posting(LedgerKind.REFUND, refund.refund_id, refund.refunded_at, lines))
    if not refund.status.counts and is_out and not is_undone:
        gone = book.moved(-minor)
        lines = _given_back(book, gone, LedgerAccount.GATEWAY)
        book.take(Posting(LedgerKind.REFUND_BACK, refund.refund_id, clock.now(), lines))


def _post_dispute(book: Book, dispute: Dispute) -> None:
    """The bank takes the money first and decides later; an inquiry takes nothing."""
    name, minor = dispute.dispute_id, _paid_part(book, dispute)
    taken = book.shares.gone(minor).settled
    is_taken = dispute.status.suspends or dispute.status is DisputeStatus.LOST
    if is_taken and not book.has(LedgerKind.DISPUTE, name):
        out = {LedgerAccount.GATEWAY: -taken, LedgerAccount.DISPUTE: taken}
        book.take(Posting(LedgerKind.DISPUTE, name, dispute.opened_at, out))
    if not book.has(LedgerKind.DISPUTE, name):
        return
    if dispute.status in RETURNED and not book.has(LedgerKind.DISPUTE_BACK, name):
        back = {LedgerAccount.GATEWAY: taken, LedgerAccount.DISPUTE: -taken}
        book.take(Posting(LedgerKind.DISPUTE_BACK, name, clock.now(), back))
    if dispute.status is DisputeStatus.LOST and not book.has(LedgerKind.DISPUTE_LOST, name):
        gone = book.moved(minor)
        lines = _given_back(book, Gone(taken, gone.tax, gone.instructor), LedgerAccount.DISPUTE)
        book.take(Posting(LedgerKind.DISPUTE_LOST, name, clock.now(), lines))


def _given_back(book: Book, gone: Gone, out_of: LedgerAccount) -> Lines:
    return {
        out_of: -gone.settled,
        LedgerAccount.TAX: gone.tax,
        LedgerAccount.INSTRUCTOR: gone.instructor,
        book.rest: gone.rest,
    }


def _already_back(book: Book, facts: list[Refund | Dispute]) -> Iterator[int]:
    """What is posted as gone back, as it was paid."""
    for fact in facts:
        if isinstance(fact, Refund):
            is_out = book.has(LedgerKind.REFUND, fact.refund_id)
            counts = is_out and not book.has(LedgerKind.REFUND_BACK, fact.refund_id)
        else:
            counts = book.has(LedgerKind.DISPUTE_LOST, fact.dispute_id)
        if counts:
            yield _paid_part(book, fact)


def _paid_part(book: Book, fact: Refund | Dispute) -> int:
    """In the currency that was paid in; a bank that counts in another means all of it."""
    if fact.amount_currency != book.payment.amount_currency:
        return book.payment.amount_minor
    return fact.amount_minor


def _keys(session: Session, payment: Payment) -> set[str]:
    posted = select(LedgerTransaction.key).where(LedgerTransaction.payment_id == payment.id)
    return set(session.scalars(posted))
