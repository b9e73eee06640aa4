"""Post what a refund or dispute cost beside its amount: the dispute's fee, another exchange rate.

The ledger counts a refund at the rate at which the payment came; the gateway takes it from its
balance at the rate of the day. The difference is a line of its own, so that the sums stay those of
the gateway and nobody's share depends on a rate.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.payment import Payment
from luma.models.reversal import BalanceMove, Dispute, Refund
from luma.services.money import journal
from luma.services.money.journal import Posting

Sums = Counter[tuple[LedgerAccount, str]]
"""By account and currency."""


@dataclass
class Side:
    """What went away for one refund or dispute, or what came back."""

    thing: str
    counted: LedgerKind
    """How the ledger calls what it counts of it by its facts."""
    fee_account: LedgerAccount
    is_over: bool
    """Whether it is decided, so that what is not counted by now never will be."""
    is_back: bool
    moves: list[BalanceMove] = field(default_factory=list)

    @property
    def kind(self) -> LedgerKind:
        return LedgerKind.SETTLEMENT_BACK if self.is_back else LedgerKind.SETTLEMENT


def post(session: Session, payment: Payment, gateway: str) -> None:
    """Bring a payment's lines to what the gateway's balance says. Twice changes nothing."""
    asked = select(BalanceMove).where(BalanceMove.payment_id == payment.id)
    moves = session.scalars(asked.order_by(BalanceMove.happened_at, BalanceMove.id)).all()
    if not moves:
        return
    sides = [*_refunds(session, payment.id), *_disputes(session, payment.id)]
    for side in sides:
        side.moves = [
            one for one in moves if one.thing == side.thing and (one.minor > 0) is side.is_back
        ]
        if side.moves:
            _settle(session, payment.id, gateway, side)


def _refunds(session: Session, payment_id: int) -> Iterator[Side]:
    fee = LedgerAccount.GATEWAY_FEE
    for fact in session.scalars(select(Refund).where(Refund.payment_id == payment_id)):
        is_over = not fact.status.counts
        yield Side(fact.refund_id, LedgerKind.REFUND, fee, is_over, is_back=False)
        yield Side(fact.refund_id, LedgerKind.REFUND_BACK, fee, is_over, is_back=True)


def _disputes(session: Session, payment_id: int) -> Iterator[Side]:
    fee = LedgerAccount.DISPUTE_FEE
    for fact in session.scalars(select(Dispute).where(Dispute.payment_id == payment_id)):
        is_over = not fact.status.is_open
        yield Side(fact.dispute_id, LedgerKind.DISPUTE, fee, is_over, is_back=False)
        yield Side(fact.dispute_id, LedgerKind.DISPUTE_BACK, fee, is_over, is_back=True)


def _settle(session: Session, payment_id: int, gateway: str, side: Side) -> None:
    """What is not counted yet waits, unless it is over: its turn comes with its status."""
    keys = _keys(session, payment_id, side)
    if not side.is_over and f"{side.counted}:{side.thing}" not in keys:
        return
    missing = _told(side)
    missing.subtract(_posted(session, payment_id, keys))
    for (_, currency), minor in list(missing.items()):
        missing[LedgerAccount.EXCHANGE, currency] -= minor
    lines = [
        LedgerEntry(account=account, minor=minor, currency=currency, payment_id=payment_id)
        for (account, currency), minor in missing.items()
        if minor
    ]
    if lines:
        thing = f"{side.thing}:{len(keys)}"
        posting = Posting(side.kind, thing, side.moves[-1].happened_at, {})
        journal.write(session, posting, gateway, payment_id, lines)


def _told(side: Side) -> Sums:
    """By the gateway: what moved on its balance, and what of it is its fee."""
    sums: Sums = Counter()
    for move in side.moves:
        sums[LedgerAccount.GATEWAY, move.currency] += move.minor - move.fee_minor
        sums[side.fee_account, move.currency] += move.fee_minor
    return sums


def _keys(session: Session, payment_id: int, side: Side) -> list[str]:
    """The movements of this side that are posted: the counted one, and settlements of it."""
    asked = select(LedgerTransaction.key).where(
        LedgerTransaction.payment_id == payment_id,
        LedgerTransaction.kind.in_([side.counted, side.kind]),
    )
    counted, settled = f"{side.counted}:{side.thing}", f"{side.kind}:{side.thing}:"
    return [key for key in session.scalars(asked) if key == counted or key.startswith(settled)]


def _posted(session: Session, payment_id: int, keys: Sequence[str]) -> Sums:
    """On the accounts that the gateway tells of; the rest is whose the money was."""
    told = (LedgerAccount.GATEWAY, LedgerAccount.GATEWAY_FEE, LedgerAccount.DISPUTE_FEE)
    rows = session.execute(
        select(LedgerEntry.account, LedgerEntry.currency, LedgerEntry.minor)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerEntry.payment_id == payment_id,
            LedgerTransaction.key.in_(keys),
            LedgerEntry.account.in_(told),
        )
    )
    sums: Sums = Counter()
    for account, currency, minor in rows:
        sums[account, currency] += minor
    return sums
