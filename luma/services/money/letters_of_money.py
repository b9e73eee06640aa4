"""What LUMA writes about money, in the transaction of the fact: each letter once, by the fact's id.

A letter says what is true when it is written. What was overtaken before it was heard of (a payment
that was pending, a dispute that is decided) is not told any more.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from luma.models.order import CheckoutAttempt
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund, RefundRequest
from luma.services.money import orders
from luma.services.money.sale_letters import (
    Sale,
    Words,
    access_now,
    day,
    sale_of,
    to_admins,
    to_buyer,
    to_school,
    to_seller,
)
from luma.settings import settings
from luma.values import AttemptStatus, DisputeStatus, Money, OrderStatus, RefundStatus


def payment_arrived(session: Session, payment_id: int) -> None:
    """A receipt to the buyer, and "your sale" to the seller; for what does not fit, a question."""
    payment = session.get_one(Payment, payment_id)
    sale = sale_of(session, payment.order_id)
    if payment.mismatch is not None:
        _needs_a_look(session, sale, payment)
        return
    lines = "\n".join(_sums(sale, payment))
    where = _where_the_receipt_is(sale, payment)
    receipt = f"Thank you. This is your receipt.\n\n{lines}\n\n{where}"
    to_buyer(session, sale, Words(f"receipt-{payment.id}", "receipt", "Your receipt", receipt))
    sold = f"{sale.buyer} bought “{sale.title}” for {payment.amount.words()}."
    subject = f"You sold {sale.title}"
    to_seller(session, sale, Words(f"sale-{payment.id}", "sale", subject, sold))


def checkout_changed(session: Session, attempt: CheckoutAttempt) -> None:
    """Pending or failed, as long as no payment of the order says otherwise."""
    sale = sale_of(session, attempt.order_id)
    state = (sale.order.status, attempt.status)
    if state == (OrderStatus.PENDING, AttemptStatus.AWAITING):
        said = Words(
            f"payment-pending-{attempt.id}",
            "payment-pending",
            "Your payment is pending",
            f"Your bank is still confirming the payment for “{sale.title}”. That can take a few "
            "days. We write to you as soon as the course is open; you need not pay again.",
        )
        to_buyer(session, sale, said)
    if state == (OrderStatus.FAILED, AttemptStatus.FAILED):
        said = Words(
            f"payment-failed-{attempt.id}",
            "payment-failed",
            "Your payment did not go through",
            f"Your bank did not confirm the payment for “{sale.title}”. No charge was made. Try "
            "again; perhaps another way of paying helps.",
        )
        to_buyer(session, sale, said)


def refund_changed(session: Session, refund_id: int) -> None:
    """On its way, once; and if it comes back in the end, that, once."""
    refund = session.get_one(Refund, refund_id, populate_existing=True)
    sale = sale_of(session, session.get_one(Payment, refund.payment_id).order_id)
    if refund.status.counts:
        _refund_made(session, sale, refund)
    else:
        _refund_came_back(session, sale, refund)


def refund_refused(session: Session, request: RefundRequest) -> None:
    """To whoever asked, and to everybody who can do something about it."""
    sale = sale_of(session, session.get_one(Payment, request.payment_id).order_id)
    key, kind, subject = f"refund-refused-{request.id}", "refund-refused", "A refund was refused"
    said = (
        f"The refund of {request.amount.words()} for “{sale.title}” was asked for and could not be "
        f"made. {request.refusal}"
    )
    if request.asked_by_id == sale.order.buyer_id:
        hint = f"{said} The school has been told."
        to_buyer(session, sale, Words(f"{key}-buyer", kind, subject, hint))
    to_school(session, sale, Words(key, kind, subject, said))


def dispute_changed(session: Session, dispute_id: int) -> None:
    """Opened, won, lost; a bank's mere question to the seller's side alone: nothing moved."""
    dispute = session.get_one(Dispute, dispute_id, populate_existing=True)
    sale = sale_of(session, session.get_one(Payment, dispute.payment_id).order_id)
    if dispute.status.suspends:
        _disputed(session, sale, dispute)
    elif dispute.status.is_open:
        _asked(session, sale, dispute)
    elif dispute.status in (DisputeStatus.WON, DisputeStatus.LOST):
        _decided(session, sale, dispute)
    else:
        _settled(session, sale, dispute)


def _needs_a_look(session: Session, sale: Sale, payment: Payment) -> None:
    key, kind = f"payment-review-{payment.id}", "payment-review"
    question = (
        f"A payment for “{sale.title}” has arrived, and something about it does not match the "
        "order. A person looks at it; you need not pay again. If you ask about it, name the order."
    )
    to_buyer(session, sale, Words(key, kind, "We are looking at your payment", question))
    why = f"A payment for “{sale.title}” does not match its order. {payment.mismatch}"
    to_admins(session, sale, Words(key, kind, "A payment needs a look", why))


def _sums(sale: Sale, payment: Payment) -> Iterable[str]:
    currency = payment.amount.currency
    yield f"Course: {sale.title}"
    yield f"Price: {sale.order.price.words()}"
    if payment.discount_minor:
        yield f"Discount: {Money(-payment.discount_minor, currency).words()}"
    if payment.tax_minor:
        before_tax = sale.order.price.minor - payment.discount_minor
        word = "Tax, in the price" if payment.amount.minor == before_tax else "Tax"
        yield f"{word}: {Money(payment.tax_minor, currency).words()}"
    yield f"Total: {payment.amount.words()}"
    yield f"Date: {day(payment.paid_at)}"


def _where_the_receipt_is(sale: Sale, payment: Payment) -> str:
    ours = f"To print it: {settings().base_url}{orders.receipt_address(sale.order.public_id)}"
    if payment.receipt_url:
        return f"{ours}\n\nThe receipt of the payment service: {payment.receipt_url}"
    return f"{ours}\n\nThe receipt of the payment service is there too, as soon as it is written."


def _refund_made(session: Session, sale: Sale, refund: Refund) -> None:
    amount = refund.amount.words()
    to_buyer(
        session,
        sale,
        Words(
            f"refund-{refund.refund_id}",
            "refund",
            "Your refund is on its way",
            f"{amount} for “{sale.title}” go back the way they came. Banks take five to ten days "
            f"to show it.\n\n{access_now(session, sale)}",
        ),
    )
    back = f"{amount} of the sale of “{sale.title}” go back to {sale.buyer}."
    subject = "A sale was refunded"
    to_seller(
        session, sale, Words(f"sale-refunded-{refund.refund_id}", "sale-refunded", subject, back)
    )


def _refund_came_back(session: Session, sale: Sale, refund: Refund) -> None:
    is_canceled = refund.status is RefundStatus.CANCELED
    what = "was canceled" if is_canceled else "could not be sent"
    why = f" ({refund.failure.replace('_', ' ')})" if refund.failure else ""
    key, kind = f"refund-{refund.status}-{refund.refund_id}", f"refund-{refund.status}"
    to_buyer(
        session,
        sale,
        Words(
            f"{key}-buyer",
            kind,
            f"Your refund {what}",
            f"The refund of {refund.amount.words()} for “{sale.title}” {what}. The school has "
            f"been told.\n\n{access_now(session, sale)}",
        ),
    )
    said = (
        f"The refund of {refund.amount.words()} for “{sale.title}” to {sale.buyer} {what}{why}. "
        "The money is with the school again. Refund the sale once more, or find another way."
    )
    to_school(session, sale, Words(key, kind, f"A refund {what}", said))


def _asked(session: Session, sale: Sale, dispute: Dispute) -> None:
    said = (
        f"The bank of {sale.buyer} asks about the payment of {dispute.amount.words()} for "
        f"“{sale.title}” ({_reason(dispute)}). No money has moved. {_due(dispute)}"
    )
    key = f"inquiry-{dispute.dispute_id}"
    to_school(session, sale, Words(key, "inquiry", "A bank asks about a payment", said))


def _disputed(session: Session, sale: Sale, dispute: Dispute) -> None:
    key, kind = f"dispute-{dispute.dispute_id}", "dispute-opened"
    said = (
        f"The bank of {sale.buyer} has taken back {dispute.amount.words()} for “{sale.title}” "
        f"until it has decided ({_reason(dispute)}). The buyer’s access waits meanwhile. "
        f"{_due(dispute)} The page of the sale has the evidence as one file."
    )
    to_school(session, sale, Words(key, kind, "A payment is disputed", said))
    said = (
        f"The payment of {dispute.amount.words()} for “{sale.title}” was disputed at your bank. "
        f"{access_now(session, sale)} If it was not you who disputed it, tell your bank."
    )
    subject = "Your bank is looking at a payment"
    to_buyer(session, sale, Words(f"{key}-buyer", kind, subject, said))


def _decided(session: Session, sale: Sale, dispute: Dispute) -> None:
    is_won = dispute.status is DisputeStatus.WON
    amount, word = dispute.amount.words(), "won" if is_won else "lost"
    key, kind = f"dispute-{word}-{dispute.dispute_id}", f"dispute-{word}"
    said = (
        f"The bank has decided for you: {amount} for “{sale.title}” are yours again."
        if is_won
        else f"The bank has decided for the buyer: {amount} for “{sale.title}” are theirs, and "
        "what this payment opened is closed."
    )
    to_school(session, sale, Words(key, kind, f"A dispute is {word}", said))
    outcome = "that the payment stands" if is_won else "for you: the money is yours again"
    said = (
        f"Your bank has decided about the payment of {amount} for “{sale.title}” {outcome}.\n\n"
        f"{access_now(session, sale)}"
    )
    subject = "The dispute about your payment is over"
    to_buyer(session, sale, Words(f"{key}-buyer", kind, subject, said))


def _settled(session: Session, sale: Sale, dispute: Dispute) -> None:
    said = (
        f"What the bank of {sale.buyer} asked about the payment for “{sale.title}” is settled. "
        "Nothing is left to do."
    )
    key = f"dispute-settled-{dispute.dispute_id}"
    to_school(session, sale, Words(key, "dispute-settled", "A bank’s question is settled", said))


def _reason(dispute: Dispute) -> str:
    return dispute.reason.replace("_", " ")


def _due(dispute: Dispute) -> str:
    return f"Answer it by {day(dispute.due_by)}." if dispute.due_by else "Answer it soon."
