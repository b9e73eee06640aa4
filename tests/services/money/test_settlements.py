"""What Stripe's balance says of refunds and disputes, fees and rates too, the ledger says."""

import json
from collections import Counter
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from luma.models.payment import Payment, StripeEvent
from luma.models.reversal import BalanceMove
from luma.services import clock
from luma.services.gateways import reversal_events, sandbox
from luma.services.gateways.protocol import GatewayDown, Thing
from luma.services.money import balances as balances_of
from luma.services.money import payouts, shares
from luma.services.money.differences import Lists
from luma.services.policies import Actor
from luma.values import EventStatus, Money, Role
from tests.selling import (
    Sale,
    charge_event,
    deliver,
    dispute_event,
    open_sale,
    refund_event,
    settled_as,
)
from tests.shares import books
from tests.standins import contract

JSON = dict[str, object]

CHARGED = 2890
"""What 4,900 yen brought in euro cents; 114 of them are the gateway's fee."""


@pytest.fixture
def sale(session: Session) -> Sale:
    """A sale in yen that settled in euros."""
    return sold_in_yen(session)


def sold_in_yen(session: Session) -> Sale:
    sale = open_sale(session, price=Money(4900, "jpy"))
    settled = charge_event(sale, balance_transaction=settled_as(CHARGED, "eur", 114))
    deliver(session, sale.event(), settled)
    return sale


def moved(name: str, minor: int, fee: int = 0, currency: str = "eur") -> JSON:
    """A balance transaction of Stripe's."""
    told = settled_as(minor, currency, fee) | {"id": f"txn_{name}", "created": 1_790_000_000}
    return told | ({"created": 1_790_000_001} if minor > 0 else {})


def refunded(
    sale: Sale, minor: int, *, out: JSON | str | None, back: JSON | str | None = None
) -> str:
    status = "failed" if back else "succeeded"
    body = json.loads(refund_event(sale, minor, status, name=str(minor)))
    body["data"]["object"] |= {"balance_transaction": out}
    if back:
        body["data"]["object"] |= {"failure_balance_transaction": back}
    assert contract.event_faults(body) == []
    return json.dumps(body)


def disputed(sale: Sale, status: str, *moves: JSON, kind: str = "") -> str:
    body = json.loads(dispute_event(sale, status))
    body["type"] = kind or body["type"]
    body["data"]["object"] |= {"balance_transactions": list(moves)}
    assert contract.event_faults(body) == []
    return json.dumps(body)


def gateway(session: Session) -> Counter[str]:
    """What the ledger says lies at the gateway, by currency."""
    sums: Counter[str] = Counter()
    for entry in session.scalars(select(LedgerEntry)):
        if entry.account is LedgerAccount.GATEWAY:
            sums[entry.currency] += entry.minor
    return sums


def movements(session: Session) -> list[str]:
    found = session.scalars(select(LedgerTransaction.kind).order_by(LedgerTransaction.id))
    return [kind.value for kind in found]


def test_a_refund_at_another_rate_costs_the_school_the_difference(
    session: Session, sale: Sale
) -> None:
    told = refunded(sale, 4900, out=moved("1", -2950))

    deliver(session, told, told)

    assert books(session, sale) == {"gateway": -174, "gateway_fee": 114, "exchange": 60}
    assert movements(session) == ["payment", "refund", "settlement"]


def test_nobodys_share_depends_on_the_rate(session: Session, sale: Sale) -> None:
    deliver(session, refunded(sale, 1000, out=moved("1", -700)))

    share = shares.of(4900, CHARGED, 0, 1000).instructor
    assert books(session, sale)["instructor"] == -(share - share * 1000 // 4900)
    assert gateway(session) == {"eur": CHARGED - 114 - 700}


def test_a_refund_at_the_same_rate_has_no_difference(session: Session) -> None:
    sale = open_sale(session)
    deliver(session, sale.event(), charge_event(sale))

    deliver(session, refunded(sale, 900, out=moved("1", -900, currency="usd")))

    assert movements(session) == ["payment", "refund"]


def test_a_refund_that_costs_a_fee_is_the_gateways_fee(session: Session, sale: Sale) -> None:
    deliver(session, refunded(sale, 4900, out=moved("1", -CHARGED, 20)))

    assert books(session, sale) == {"gateway": -134, "gateway_fee": 134}


def test_a_refund_that_comes_back_at_a_third_rate_leaves_only_the_difference(
    session: Session, sale: Sale
) -> None:
    before = books(session, sale)

    deliver(session, refunded(sale, 4900, out=moved("1", -2950)))
    deliver(session, refunded(sale, 4900, out=moved("1", -2950), back=moved("2", 2900)))

    assert books(session, sale) == before | {"gateway": before["gateway"] - 50, "exchange": 50}


def test_a_refund_out_of_another_currency_comes_to_zero_in_each(
    session: Session, sale: Sale
) -> None:
    deliver(session, refunded(sale, 4900, out=moved("1", -4900, currency="jpy")))

    assert gateway(session) == {"eur": CHARGED - 114, "jpy": -4900}
    sums: Counter[tuple[int, str]] = Counter()
    for entry in session.scalars(select(LedgerEntry)):
        sums[entry.transaction_id, entry.currency] += entry.minor
    assert set(sums.values()) == {0}


def test_another_currency_of_the_gateways_is_none_of_the_instructors(
    session: Session, sale: Sale
) -> None:
    deliver(session, refunded(sale, 4900, out=moved("1", -4900, currency="jpy")))
    teacher = Actor(
        sale.course.instructor_id, "Maria", "m@example.org", frozenset({Role.INSTRUCTOR})
    )

    seen = payouts.mine(session, teacher, 25)

    assert [total.figures.net.currency for total in seen.totals] == ["eur"]
    assert len(seen.found) == 1


def test_a_refund_that_only_names_its_balance_transaction_is_fetched(
    session: Session, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(refunded(sale, 4900, out=moved("1", -2950)))["data"]["object"]
    asked: list[tuple[Thing, str]] = []

    def found(kind: Thing, name: str) -> JSON:
        asked.append((kind, name))
        if len(asked) == 1:
            raise GatewayDown
        return dict(whole)

    monkeypatch.setattr(sandbox, "found", found)

    deliver(session, refunded(sale, 4900, out="txn_1"))

    assert asked == [(Thing.REFUND, whole["id"])] * 2
    assert books(session, sale)["exchange"] == 60


def test_what_only_names_its_balance_transaction_is_a_fact_all_the_same(sale: Sale) -> None:
    told = json.loads(refunded(sale, 4900, out="txn_1"))["data"]["object"]

    assert reversal_events.refund(told).moves == ()


def test_a_bank_takes_its_fee_with_the_money(session: Session) -> None:
    sale = open_sale(session)
    deliver(session, sale.event(), charge_event(sale))
    before = books(session, sale)
    out = moved("1", -4900, 1500, "usd")

    deliver(session, disputed(sale, "needs_response"))
    deliver(session, disputed(sale, "needs_response", out, kind="charge.dispute.funds_withdrawn"))

    assert books(session, sale) == before | {
        "gateway": before["gateway"] - 6400,
        "dispute": 4900,
        "dispute_fee": 1500,
    }


@pytest.mark.parametrize(("kept", "fee"), [(0, 1500), (-1500, 0)])
def test_a_dispute_that_is_won_costs_what_the_bank_keeps(
    session: Session, kept: int, fee: int
) -> None:
    sale = open_sale(session)
    deliver(session, sale.event(), charge_event(sale))
    before = books(session, sale)
    out, in_ = moved("1", -4900, 1500, "usd"), moved("2", 4900, kept, "usd")

    deliver(session, disputed(sale, "needs_response", out), disputed(sale, "won", out))
    back = disputed(sale, "won", out, in_, kind="charge.dispute.funds_reinstated")
    deliver(session, back, back)

    cost = {"gateway": before["gateway"] - fee} | ({"dispute_fee": fee} if fee else {})
    assert books(session, sale) == before | cost


def test_a_dispute_that_is_lost_at_another_rate_is_everybodys_loss_and_the_rate_the_schools(
    session: Session, sale: Sale
) -> None:
    out = moved("1", -3000, 1700)

    deliver(session, disputed(sale, "needs_response", out), disputed(sale, "lost", out))

    assert books(session, sale) == {
        "gateway": CHARGED - 114 - 4700,
        "gateway_fee": 114,
        "dispute_fee": 1700,
        "exchange": 110,
    }


def test_in_whatever_order_a_dispute_is_heard_the_end_is_the_same(session: Session) -> None:
    ends = []
    for order in permutations(range(4)):
        sale = sold_in_yen(session)
        out = moved(f"out{order}", -3000, 1700)
        in_ = moved(f"in{order}", 2980, -200)
        told = [
            disputed(sale, "needs_response"),
            disputed(sale, "needs_response", out, kind="charge.dispute.funds_withdrawn"),
            disputed(sale, "won", out),
            disputed(sale, "won", out, in_, kind="charge.dispute.funds_reinstated"),
        ]
        deliver(session, *(told[number] for number in order))
        ends.append(books(session, sale))

    assert ends[0] == {
        "gateway": CHARGED - 114 - 4700 + 3180,
        "gateway_fee": 114,
        "dispute_fee": 1500,
        "exchange": 20,
        "instructor": -2601,
        "platform_fee": -289,
    }
    assert all(one == ends[0] for one in ends)


def test_the_nightly_comparison_finds_the_same_on_both_sides(session: Session, sale: Sale) -> None:
    """Also where the gateway knows another rate, and a fee, that only its balance tells of."""
    out, in_ = moved("1", -3000, 1700), moved("2", 2980, -200)
    lost, again = moved("3", -2950, 20), moved("4", 2900)
    other = sold_in_yen(session)
    deliver(session, disputed(sale, "needs_response", out), disputed(sale, "won", out, in_))
    deliver(session, refunded(other, 4900, out=lost, back=again))
    dispute, refund = session.scalars(select(BalanceMove.thing).distinct().order_by("thing"))

    told = [
        *(one | {"source": dispute, "type": "adjustment"} for one in (out, in_)),
        lost | {"source": refund, "type": "payment_refund"},
        again | {"source": refund, "type": "payment_failure_refund"},
        *(
            settled_as(CHARGED, "eur", 114) | {"source": charge, "type": "payment"}
            for charge in session.scalars(select(Payment.charge_id))
        ),
    ]
    day = timedelta(days=1)
    lists = Lists("sandbox", clock.now() - day, clock.now() + day, [], [], [], [], told)

    assert list(balances_of.differing(balances_of.sides(session, lists), lists)) == []


def test_money_that_goes_back_and_forth_at_a_bank_is_followed(session: Session, sale: Sale) -> None:
    out, in_ = moved("1", -3000, 1700), moved("2", 3000)
    again = moved("3", -3000, 1700)

    deliver(session, disputed(sale, "needs_response", out), disputed(sale, "lost", out, in_, again))

    assert gateway(session) == {"eur": CHARGED - 114 - 6400}


@pytest.mark.parametrize("change", [{"amount": 1.5}, {"fee": None}, {"currency": "xxx"}, {"id": 7}])
def test_a_balance_transaction_that_makes_no_sense_moves_nothing(
    session: Session, sale: Sale, change: JSON
) -> None:
    before = books(session, sale)
    body = json.loads(disputed(sale, "needs_response", moved("1", -3000)))
    body["data"]["object"]["balance_transactions"][0] |= change

    deliver(session, json.dumps(body))

    assert books(session, sale) == before
    assert EventStatus.PARKED in set(session.scalars(select(StripeEvent.status)))


WHAT = st.sampled_from(("refund", "fails", "disputed", "withdrawn", "won", "reinstated", "lost"))


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=st.lists(st.tuples(WHAT, st.integers(-40, 40)), max_size=8))
def test_whatever_is_heard_the_ledger_has_what_the_balance_has(
    session: Session, told: list[tuple[str, int]]
) -> None:
    sale = sold_in_yen(session)
    for what, rate in told:
        deliver(session, story(sale, what, rate))

    payment = session.scalars(select(Payment.id).where(Payment.order_id == sale.order.id)).one()
    moves = session.scalars(select(BalanceMove).where(BalanceMove.payment_id == payment)).all()
    net = sum(one.minor - one.fee_minor for one in moves)
    waiting = not_told(session, sale, moves)
    assert books(session, sale).get("gateway", 0) == CHARGED - 114 + net + waiting
    assert sum(books(session, sale).values()) == 0


def story(sale: Sale, what: str, rate: int) -> str:
    """Each thing moves once; the rate is that of whichever event is heard first."""
    name = f"{sale.order.id}_"
    lost, again = moved(f"{name}r", -700 - rate), moved(f"{name}f", 700 + rate)
    out, in_ = moved(f"{name}d", -2890 - rate, 1500), moved(f"{name}w", 2890 - rate, -1500)
    return {
        "refund": lambda: refunded(sale, 1200, out=lost),
        "fails": lambda: refunded(sale, 1200, out=lost, back=again),
        "disputed": lambda: disputed(sale, "needs_response"),
        "withdrawn": lambda: disputed(sale, "needs_response", out),
        "won": lambda: disputed(sale, "won", out),
        "reinstated": lambda: disputed(sale, "won", out, in_),
        "lost": lambda: disputed(sale, "lost", out),
    }[what]()


def not_told(session: Session, sale: Sale, moves: object) -> int:
    """What the facts have counted and no balance transaction has told of yet."""
    assert isinstance(moves, list)
    told = {(one.thing, one.minor > 0) for one in moves}
    rows = session.execute(
        select(LedgerTransaction.key, LedgerEntry.minor)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(Payment, Payment.id == LedgerTransaction.payment_id)
        .where(Payment.order_id == sale.order.id, LedgerEntry.account == LedgerAccount.GATEWAY)
    )
    kinds = {"refund": False, "refund_back": True, "dispute": False, "dispute_back": True}
    return sum(
        minor
        for key, minor in rows
        if (kind := key.partition(":")[0]) in kinds
        and (key.partition(":")[2], kinds[kind]) not in told
    )
