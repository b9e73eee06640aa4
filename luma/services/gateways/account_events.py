"""What events say about the accounts of those who are paid, and about their payouts to a bank."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luma.models.payee import PayeeStatus, PayoutStatus
from luma.values import Money

CAPABILITY = "v2.core.account[configuration.recipient].capability_status_updated"
CLOSED = "v2.core.account.closed"
THIN = frozenset({CAPABILITY, "v2.core.account[requirements].updated", CLOSED})
"""They say only whom they are about: the account is fetched."""
DEAUTHORIZED = "account.application.deauthorized"
ACCOUNTS = THIN | {"account.updated", DEAUTHORIZED}
PAID_OUT = "payout.paid"
PAYOUT_FAILED = "payout.failed"
PAYOUTS = frozenset(
    {"payout.created", "payout.updated", PAID_OUT, PAYOUT_FAILED, "payout.canceled"}
)


@dataclass(frozen=True, slots=True)
class AccountFact:
    """Whether money may be sent to an account, as of the moment it was asked."""

    account_id: str
    status: PayeeStatus


@dataclass(frozen=True, slots=True)
class PayoutFact:
    """From an account to the bank of its owner. What was paid may still fail."""

    payout_id: str
    account_id: str
    amount: Money
    status: PayoutStatus
    failure: str | None
    arrives_at: datetime


def account(thing: Mapping[str, Any]) -> AccountFact:
    """From a v2 account. Raises ValueError, TypeError or KeyError for what is none.

    Payable is what may receive transfers; that the account is there is not enough.
    """
    account_id = thing["id"]
    if not isinstance(account_id, str) or not account_id.startswith("acct_"):
        raise ValueError("an account without an id")
    if thing.get("closed"):
        return AccountFact(account_id, PayeeStatus.CLOSED)
    place: Any = thing
    for part in ("configuration", "recipient", "capabilities", "stripe_balance"):
        place = (place or {}).get(part)
    status = ((place or {}).get("stripe_transfers") or {}).get("status")
    return AccountFact(account_id, PayeeStatus(status) if status else PayeeStatus.NEW)


def deauthorized(account_id: str) -> AccountFact:
    """Its owner has left: nothing can be asked about it any more."""
    return AccountFact(account_id, PayeeStatus.CLOSED)


def payout(thing: Mapping[str, Any], account_id: str) -> PayoutFact:
    """Raises ValueError, TypeError or KeyError for what is no payout."""
    failure = thing.get("failure_message") or thing.get("failure_code")
    return PayoutFact(
        payout_id=str(thing["id"]),
        account_id=account_id,
        amount=Money(thing["amount"], thing["currency"]),
        status=PayoutStatus(thing["status"]),
        failure=str(failure)[:80] if failure else None,
        arrives_at=datetime.fromtimestamp(thing["arrival_date"], UTC),
    )
