"""Every movement on the gateway's balance against the line of the ledger that tells of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, Select, Text, cast, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund
from luma.models.user import rehearsal_buyers
from luma.services import gateways
from luma.services.gateways import NAMES, balance_lines
from luma.services.money.differences import Differs, Lists, Sum
from luma.values import Money

EDGE = timedelta(hours=1)
"""What LUMA notes as having happened later than it did may lie outside of what is listed."""

BACK = (LedgerKind.REFUND_BACK, LedgerKind.DISPUTE_BACK, LedgerKind.SETTLEMENT_BACK)


@dataclass(frozen=True, slots=True)
class Move:
    """Of one thing (by the gateway's id) in one currency; what comes back is another move."""

    thing: str
    is_back: bool
    currency: str


@dataclass
class Sides:
    """How much each side says of each move, and whose order it belongs to."""

    theirs: Counter[Move] = field(default_factory=Counter)
    ours: Counter[Move] = field(default_factory=Counter)
    orders: dict[str, str] = field(default_factory=dict)

    @property
    def moves(self) -> set[Move]:
        return set(self.theirs) | set(self.ours)


def sides(session: Session, lists: Lists) -> Sides:
    """Only of things that LUMA knows: another shop on the account is not its business."""
    lines = [balance_lines.line(one) for one in lists.balances]
    both = Sides(orders=_known(session, [line.source for line in lines if line.source]))
    for line in lines:
        if line.source in both.orders and line.happened_at <= lists.before:
            both.theirs[Move(line.source, line.is_back, line.net.currency)] += line.net.minor
    _post(session, lists, both)
    return both


def lonely(session: Session, lists: Lists) -> list[str]:
    """What the ledger says has moved, and the gateway's list of that time does not."""
    both = sides(session, lists)
    return sorted({move.thing for move in both.ours if move not in both.theirs})


def differing(both: Sides, lists: Lists) -> Iterator[Differs]:
    """By the id of the charge, refund, dispute or transfer."""
    who = NAMES[lists.name]
    for move in sorted(both.moves, key=lambda one: (one.thing, one.is_back, one.currency)):
        theirs, ours = both.theirs.get(move), both.ours.get(move)
        if theirs == ours:
            continue
        there = f"moved {_words(theirs, move)}" if theirs is not None else "moved nothing"
        here = f"has {_words(ours, move)}" if ours is not None else "has nothing"
        words = f"{who} {there} on its balance, and the ledger {here}."
        yield Differs(move.thing, both.orders.get(move.thing), words)


def sums(both: Sides) -> list[Sum]:
    return [
        Sum(
            currency,
            sum(minor for move, minor in both.theirs.items() if move.currency == currency),
            sum(minor for move, minor in both.ours.items() if move.currency == currency),
            sum(1 for move in both.moves if move.currency == currency),
        )
        for currency in sorted({move.currency for move in both.moves})
    ]


def _known(session: Session, sources: Iterable[str]) -> dict[str, str]:
    """The things that LUMA has, by the gateway's id, and the public ids of their orders."""
    wanted = _any_of(sources)
    found: dict[str, str] = {}
    by_payment: tuple[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[int]], ...] = (
        (Refund.refund_id, Refund.payment_id),
        (Dispute.dispute_id, Dispute.payment_id),
    )
    charges = select(Payment.charge_id, Order.public_id).join(Order, Order.id == Payment.order_id)
    asked = [charges.where(Payment.charge_id.in_(wanted)), _transfers(wanted)]
    for name, payment_id in by_payment:
        joined = select(name, Order.public_id).join(Payment, Payment.id == payment_id)
        asked.append(joined.join(Order, Order.id == Payment.order_id).where(name.in_(wanted)))
    for one in asked:
        rows = session.execute(one.where(Order.buyer_id.not_in(rehearsal_buyers())))
        found |= {name: order for name, order in rows if name}
    return found


def _transfers(wanted: Select[str]) -> Select[*tuple[Any, ...]]:
    """By the ledger, which also has those that somebody made past LUMA."""
    name = func.split_part(LedgerTransaction.key, ":", 2)
    return (
        select(name, Order.public_id)
        .join(Payment, Payment.id == LedgerTransaction.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(
            LedgerTransaction.kind.in_([LedgerKind.TRANSFER, LedgerKind.TRANSFER_BACK]),
            name.in_(wanted),
        )
    )


def _post(session: Session, lists: Lists, both: Sides) -> None:
    """What the ledger has of what moved there, and whatever else it has of that time."""
    named = {move.thing for move in both.theirs}
    name = func.split_part(LedgerTransaction.key, ":", 2)
    is_payment = LedgerTransaction.kind == LedgerKind.PAYMENT
    is_named = or_(is_payment & Payment.charge_id.in_(_any_of(named)), name.in_(_any_of(named)))
    is_of_then = LedgerTransaction.happened_at.between(lists.since + EDGE, lists.before)
    rows = session.execute(
        select(
            LedgerTransaction.kind,
            name,
            Payment.charge_id,
            Payment.session_id,
            Order.public_id,
            LedgerEntry.currency,
            LedgerEntry.minor,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(Payment, Payment.id == LedgerTransaction.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(
            LedgerTransaction.gateway == lists.name,
            LedgerEntry.account == LedgerAccount.GATEWAY,
            or_(is_of_then, is_named),
        )
    )
    for kind, own, charge, checkout, order, currency, minor in rows:
        if not gateways.current().is_ours(checkout) or _is_kept_nowhere(lists.name, kind):
            continue
        about = (charge or own) if kind is LedgerKind.PAYMENT else own
        both.ours[Move(about, kind in BACK, currency)] += minor
        both.orders.setdefault(about, order)


def _is_kept_nowhere(gateway: str, kind: LedgerKind) -> bool:
    """The sandbox has no memory of what it sends to instructors."""
    return gateway == "sandbox" and kind.pays_out


def _any_of(names: Iterable[str]) -> Select[str]:
    """One parameter, however many they are."""
    return select(func.unnest(cast(literal(list(names), ARRAY(Text)), ARRAY(Text))))


def _words(minor: int, move: Move) -> str:
    return Money(minor, move.currency).words()
