"""What Stripe lists is read to its end, or not at all; missed payouts are found that way."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import ServiceDown
from luma.models.payee import BankPayout, Payee, PayeeStatus, PayoutStatus
from luma.services import clock
from luma.services.gateways import balance_lines, stripe
from luma.services.gateways.protocol import GatewayMissing, Thing
from luma.services.money import payees
from tests.factories import make_user
from tests.standins import contract
from tests.standins.running import StripeStandIn

NOW = int(clock.now().timestamp())

EXAMPLES = {
    Thing.CHECKOUT: "checkout.session",
    Thing.CHARGE: "charge",
    Thing.REFUND: "refund",
    Thing.DISPUTE: "dispute",
    Thing.BALANCE: "balance_transaction",
}


def there(account: StripeStandIn, kind: str, name: str, **fields: Any) -> None:
    """Made today, unless it says otherwise."""
    account.changes(name, **(contract.example(kind) | {"id": name, "created": NOW} | fields))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_page_of_a_list_is_read(
    account: StripeStandIn, monkeypatch: pytest.MonkeyPatch, kind: Thing
) -> None:
    monkeypatch.setattr("luma.services.gateways.stripe_lists.PAGE", 2)
    for number in range(5):
        there(account, EXAMPLES[kind], f"{kind[:2]}_{number}", livemode=False)
    there(account, EXAMPLES[kind], f"{kind[:2]}_old", created=NOW - 9 * 86_400, livemode=False)

    found = list(stripe.listed(kind, since=clock.now() - timedelta(days=2)))

    assert [one["id"] for one in found] == [f"{kind[:2]}_{number}" for number in (4, 3, 2, 1, 0)]
    assert len(account.requests) == 3


def test_charges_come_with_what_they_settled_to_and_of_one_payment(account: StripeStandIn) -> None:
    there(account, "balance_transaction", "txn_1", net=4728, livemode=False)
    for number in (1, 2):
        intent, settled = f"pi_{number}", "txn_1"
        there(
            account,
            "charge",
            f"ch_{number}",
            payment_intent=intent,
            balance_transaction=settled,
            livemode=False,
        )

    (charge,) = stripe.listed(Thing.CHARGE, of="pi_2")

    assert charge["id"] == "ch_2"
    assert charge["balance_transaction"]["net"] == 4728  # type: ignore[index]  # it is whole
    assert stripe.found(Thing.CHARGE, "ch_2")["id"] == "ch_2"


def test_what_moved_for_one_thing_is_asked_for_by_it(account: StripeStandIn) -> None:
    there(account, "balance_transaction", "txn_1", source="re_1", type="refund", net=-900)
    there(account, "balance_transaction", "txn_2", source="re_2", type="refund_failure", net=900)

    (one,) = stripe.listed(Thing.BALANCE, of="re_2")

    read = balance_lines.line(one)
    assert (read.source, read.is_back, read.net.minor) == ("re_2", True, 900)


@pytest.mark.parametrize("kind", ["500", "429", "reset", "hang", "html"])
def test_a_list_that_breaks_in_the_middle_is_said_to_be_broken(
    account: StripeStandIn, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Half a list would look like money that is missing."""
    monkeypatch.setattr("luma.services.gateways.stripe_lists.PAGE", 1)
    monkeypatch.setattr(stripe, "TIMEOUT", 0.2)
    stripe._client_for.cache_clear()
    for number in range(3):
        there(account, "refund", f"re_{number}")
    pages = stripe.listed(Thing.REFUND)
    next(pages)
    account.fails(kind, "/v1/refunds", times=9)

    with pytest.raises(ServiceDown):
        list(pages)


def test_what_is_not_there_is_missing(account: StripeStandIn) -> None:
    for kind in (Thing.CHECKOUT, Thing.CHARGE, Thing.REFUND, Thing.DISPUTE):
        with pytest.raises(GatewayMissing):
            stripe.found(kind, "none_1")
        with pytest.raises(ValueError, match="empty"):
            stripe.found(kind, "")


@pytest.fixture
def payee(session: Session, account: StripeStandIn) -> Payee:
    made = stripe.create_payee("anna@example.org", "Anna", "key-account")
    row = Payee(
        instructor_id=make_user(session).id,
        gateway="stripe",
        account_id=made,
        asked_at=clock.now(),
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def payout(account: StripeStandIn, payee: Payee, name: str, **fields: Any) -> None:
    there(account, "payout", name, of_account=payee.account_id, **fields)


def known(session: Session) -> dict[str, PayoutStatus]:
    session.expire_all()
    return {row.payout_id: row.status for row in session.scalars(select(BankPayout))}


def test_payouts_whose_events_were_missed_are_found_in_the_account(
    session: Session, account: StripeStandIn, payee: Payee
) -> None:
    payout(account, payee, "po_1", status="paid")
    payout(account, payee, "po_2", status="in_transit")
    there(account, "payout", "po_3", of_account="acct_other", status="paid")

    payees.refresh(payee.instructor_id)
    first = known(session)
    account.changes("po_1", status="failed", failure_code="account_closed")
    payees.refresh(payee.instructor_id)
    payees.refresh(payee.instructor_id)

    assert first == {"po_1": PayoutStatus.PAID, "po_2": PayoutStatus.IN_TRANSIT}
    assert known(session) == {"po_1": PayoutStatus.FAILED, "po_2": PayoutStatus.IN_TRANSIT}


def test_a_key_that_may_not_look_into_accounts_hears_how_they_stand(
    session: Session, account: StripeStandIn, payee: Payee
) -> None:
    payee.status = PayeeStatus.ACTIVE
    session.flush()
    account.fails("403", "/v1/payouts")

    payees.refresh(payee.instructor_id)

    session.expire_all()
    assert session.get_one(Payee, payee.id).status is PayeeStatus.NEW
    assert known(session) == {}


def test_an_account_that_is_gone_is_closed_and_not_asked_for_payouts(
    session: Session, account: StripeStandIn, payee: Payee
) -> None:
    payee.account_id = "acct_gone"
    session.flush()

    payees.refresh(payee.instructor_id)

    session.expire_all()
    assert session.get_one(Payee, payee.id).status is PayeeStatus.CLOSED
    assert not [one for one in account.requests if one["path"] == "/v1/payouts"]
