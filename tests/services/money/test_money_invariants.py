"""Whatever happens to sales, refunds, disputes and transfers: nothing is lost and nothing twice."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerAccount, LedgerEntry
from luma.models.payee import Payee, Transfer, TransferStatus
from luma.models.payment import Payment
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayDown, GatewayRefused, TransferRequest
from luma.services.money import transfers
from tests.factories import make_published
from tests.selling import (
    Sale,
    deliver,
    dispute_event,
    refund_event,
    settled_as,
    settled_sale,
)
from tests.shares import JSON, payee_of, taken_back, transfer_event

_names = count(1)


@dataclass
class Bank:
    """The gateway: what it has really done, whatever LUMA heard of it."""

    made: dict[str, tuple[str, TransferRequest]] = field(default_factory=dict)
    """By key, with the id: asked twice with one key, it does it once."""
    balance: Counter[str] = field(default_factory=Counter)
    """Of the school, by currency, after fees."""
    sent: int = 0
    """To the instructor, less what came back, past LUMA or not."""
    mood: str = "willing"

    def transfer(self, request: TransferRequest, key: str) -> str:
        if self.mood == "unwilling":
            raise GatewayRefused("balance_insufficient")
        if key not in self.made:
            if request.of and request.amount.minor > self.left(request.of):
                raise GatewayRefused("balance_insufficient")
            self.made[key] = (f"{'trr' if request.of else 'tr'}_{next(_names)}", request)
            self.moves(-request.amount.minor if request.of else request.amount.minor)
        if self.mood == "silent":
            raise GatewayDown
        return self.made[key][0]

    def transfer_made(self, request: TransferRequest) -> str | None:
        return self.made.get(request.reference, ("", request))[0] or None

    def left(self, transfer_id: str) -> int:
        """Of a transfer, what was not taken back yet."""
        (whole,) = [asked.amount.minor for name, asked in self.made.values() if name == transfer_id]
        return whole - sum(
            asked.amount.minor for _, asked in self.made.values() if asked.of == transfer_id
        )

    def moves(self, minor: int) -> None:
        self.sent += minor
        self.balance["usd"] -= minor


@dataclass
class Deal:
    """A sale as the buyer's bank sees it: 4,900 cents, in parts of 700."""

    sale: Sale
    back: int = 0
    refunds: list[str] = field(default_factory=list)
    dispute: str = ""


@dataclass
class World:
    session: Session
    course: Course
    payee: Payee
    bank: Bank
    deals: list[Deal] = field(default_factory=list)

    def deal(self, number: int) -> Deal | None:
        return self.deals[number % len(self.deals)] if self.deals else None

    def sell(self, _number: int) -> None:
        self.deals.append(Deal(settled_sale(self.session, course=self.course)))
        self.bank.balance["usd"] += 4900 - 172

    def refund(self, number: int) -> None:
        if (deal := self.deal(number)) and not deal.dispute and deal.back < 4900:
            deal.refunds.append(str(next(_names)))
            deal.back += 700
            self.bank.balance["usd"] -= 700
            deliver(self.session, refund_event(deal.sale, 700, name=deal.refunds[-1]))

    def refund_fails(self, number: int) -> None:
        if (deal := self.deal(number)) and deal.refunds:
            name = deal.refunds.pop()
            deal.back -= 700
            self.bank.balance["usd"] += 700
            deliver(self.session, refund_event(deal.sale, 700, "failed", name=name))

    def dispute(self, number: int) -> None:
        """The bank takes the rest, and 15 dollars for its trouble."""
        if (deal := self.deal(number)) and not deal.dispute and deal.back < 4900:
            deal.dispute = "needs_response"
            self.bank.balance["usd"] -= 4900 - deal.back + 1500
            self._tell(deal)

    def bank_decides(self, number: int) -> None:
        if (deal := self.deal(number)) and deal.dispute == "needs_response":
            deal.dispute = "won" if number % 2 else "lost"
            self.bank.balance["usd"] += (4900 - deal.back) if deal.dispute == "won" else 0
            self._tell(deal)

    def _tell(self, deal: Deal) -> None:
        """With all that moved; the refund that fails later changes nothing of it."""
        body = json.loads(dispute_event(deal.sale, deal.dispute))
        amount, name = 4900 - deal.back, f"txn_{deal.sale.order.id}"
        out = settled_as(-amount, "usd", 1500) | {"id": f"{name}_out"}
        moves = [out]
        if deal.dispute == "won":
            moves.append(settled_as(amount, "usd", 0) | {"id": f"{name}_in"})
        body["data"]["object"] |= {"amount": amount, "balance_transactions": moves}
        deal.refunds.clear()
        deliver(self.session, json.dumps(body))

    def run(self, mood: str) -> None:
        """The periodic job while the gateway is in that mood."""
        self.bank.mood = mood
        transfers.plan_for(self.session, self.payee.id)
        waiting = select(Transfer.id).where(Transfer.status == TransferStatus.WAITING)
        for number in self.session.scalars(waiting.order_by(Transfer.id)).all():
            try:
                transfers.send(number)
            except GatewayDown:
                continue
        self.session.expire_all()

    def hear(self, _number: int) -> None:
        """The events of everything that the gateway made, all over again."""
        for name, asked in list(self.bank.made.values()):
            if asked.of is None:
                backs = [self._back(one) for one in self.bank.made.values() if one[1].of == name]
                deliver(self.session, self._event(name, asked, backs))

    def _event(self, name: str, asked: TransferRequest, backs: list[JSON]) -> str:
        return transfer_event(
            asked.amount.minor,
            *backs,
            name=name,
            to=asked.account_id,
            source_transaction=asked.charge_id,
            metadata={"reference": asked.reference},
        )

    def _back(self, one: tuple[str, TransferRequest]) -> JSON:
        return taken_back(one[1].amount.minor, one[0], one[1].reference)

    def send_outside(self, number: int) -> None:
        """Somebody sends money in the dashboard, for a sale or for none."""
        deal = self.deal(number) if number % 2 else None
        charge = None
        if deal:
            paid = select(Payment.charge_id).where(Payment.order_id == deal.sale.order.id)
            charge = self.session.scalars(paid).one()
        self.bank.moves(500)
        name = f"tr_outside{next(_names)}"
        to = self.payee.account_id
        deliver(self.session, transfer_event(500, name=name, to=to, source_transaction=charge))


DEEDS: dict[str, Callable[[World, int], None]] = {
    "sell": World.sell,
    "refund": World.refund,
    "refund fails": World.refund_fails,
    "dispute": World.dispute,
    "bank decides": World.bank_decides,
    "hear": World.hear,
    "send outside": World.send_outside,
    "run": lambda world, _: world.run("willing"),
    "run, refused": lambda world, _: world.run("unwilling"),
    "run, no answer": lambda world, _: world.run("silent"),
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 9)), max_size=14)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_nothing_is_lost_and_nothing_is_sent_twice(
    session: Session, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]]
) -> None:
    course = make_published(session)
    payee = payee_of(session, course)
    payee.account_id = f"acct_{next(_names)}"
    world = World(session, course, payee, Bank())
    monkeypatch.setattr(sandbox, "transfer", world.bank.transfer)
    monkeypatch.setattr(sandbox, "transfer_made", world.bank.transfer_made)
    world.sell(0)

    for deed, number in steps:
        DEEDS[deed](world, number)
    world.run("willing")

    assert comes_to_zero(session)
    assert every_sum_has_a_currency(session)
    lines = sums(session, course)
    assert lines[LedgerAccount.GATEWAY] == world.bank.balance["usd"]
    assert -lines[LedgerAccount.INSTRUCTOR] == share(world) - world.bank.sent
    kept = lines[LedgerAccount.GATEWAY_FEE] + lines[LedgerAccount.DISPUTE_FEE]
    paid = sum(4900 - gone(deal) for deal in world.deals)
    on_hold = lines[LedgerAccount.DISPUTE]
    assert paid - kept - on_hold - world.bank.sent == world.bank.balance["usd"]


def gone(deal: Deal) -> int:
    """What went back to the buyer of one sale, for good or for now."""
    return 4900 if deal.dispute == "lost" else deal.back


def share(world: World) -> int:
    """Of each sale what is left of the instructor's nine tenths, to the cent."""
    return sum(4410 - 4410 * gone(deal) // 4900 for deal in world.deals)


def sums(session: Session, course: Course) -> Counter[LedgerAccount]:
    """Of one instructor's sales, and of what was sent to them for none."""
    rows = session.execute(
        text(
            "SELECT entry.account, sum(entry.minor) FROM ledger_entries entry"
            " JOIN ledger_transactions moved ON moved.id = entry.transaction_id"
            " WHERE EXISTS (SELECT FROM ledger_entries other"
            "  LEFT JOIN payments ON payments.id = other.payment_id"
            "  LEFT JOIN orders ON orders.id = payments.order_id"
            "  WHERE other.transaction_id = moved.id"
            "  AND (orders.course_id = :course OR other.instructor_id = :who))"
            " GROUP BY entry.account"
        ),
        {"course": course.id, "who": course.instructor_id},
    )
    return Counter({LedgerAccount(account): int(minor) for account, minor in rows})


def comes_to_zero(session: Session) -> bool:
    found: Counter[tuple[int, str]] = Counter()
    for entry in session.scalars(select(LedgerEntry)):
        found[entry.transaction_id, entry.currency] += entry.minor
    return not any(found.values())


def every_sum_has_a_currency(session: Session) -> bool:
    """Of every table with money in it, whatever its column is called."""
    columns = session.execute(
        text(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name ~ '(^|_)currency$'"
        )
    ).all()
    assert len(columns) > 10
    return not any(
        session.scalar(
            text(
                f"SELECT count(*) FROM {table} row WHERE {column} IS NULL"
                f" AND to_jsonb(row)->>'{column.replace('currency', 'minor')}' IS NOT NULL"
            )
        )
        for table, column in columns
    )
