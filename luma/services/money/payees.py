"""Who can be paid at the gateway: an instructor's account there, and how it stands."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.models.payee import BankPayout, Payee, PayeeStatus
from luma.models.user import User
from luma.services import audit, clock, gateways, operations, policies, queue
from luma.services.gateways import account_events, sandbox_connect
from luma.services.gateways.account_events import CAPABILITY, AccountFact, PayoutFact
from luma.services.gateways.protocol import Gateway, GatewayMissing, GatewayRefused, Thing
from luma.services.money.reversals import NotOurs
from luma.services.policies import Actor
from luma.settings import settings

log = logging.getLogger(__name__)

HERE = "/studio/payouts"
PAYOUTS_OF = timedelta(days=30)
"""What was paid to a bank longer ago is decided."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How an instructor's account at the gateway in use stands. No status: there is none."""

    gateway: str
    status: str | None

    @property
    def is_payable(self) -> bool:
        return self.status == PayeeStatus.ACTIVE


def connection(session: Session, actor: Actor) -> Connection:
    policies.ensure_teaches(actor)
    name = gateways.current().name
    found = _of(session, actor.id, name)
    return Connection(name, found.status.value if found else None)


def begin(session: Session, actor: Actor) -> int:
    """The first step of connecting, before the gateway is asked. Raises ProveAgain.

    Whoever gets this far says where the money goes: an open browser is not proof enough.
    """
    policies.ensure_teaches(actor)
    policies.ensure_fresh(actor)
    return actor.id


def come_back(_session: Session, actor: Actor) -> int:
    """The first step of looking how the account stands, after a visit to the gateway."""
    policies.ensure_teaches(actor)
    return actor.id


def onboard(instructor_id: int) -> str:
    """Where the instructor tells the gateway who they are. Waits for the network.

    Asked twice, or after a crash, there is still one account. Raises GatewayDown or GatewayRefused.
    """
    gateway = gateways.current()
    with db.unit_of_work() as session:
        user = session.get_one(User, instructor_id, with_for_update={"key_share": True})
        known = _of(session, instructor_id, gateway.name)
        account_id = known.account_id if known and known.status is not PayeeStatus.CLOSED else None
        old = known.account_id if known else ""
        prefix = f"luma:{gateway.name}:account:{instructor_id}:"
        asked: operations.Request = {"email": user.email, "name": user.name, "after": old}
        key = None if account_id else operations.key(session, prefix, asked)
    if account_id is None and key:
        account_id = gateway.create_payee(str(asked["email"]), str(asked["name"]), key)
        with db.unit_of_work() as session:
            _keep(session, instructor_id, gateway.name, account_id)
            operations.finish(session, key, account_id)
    return gateway.onboarding_address(str(account_id), f"{settings().base_url}{HERE}")


def refresh(instructor_id: int) -> None:
    """Ask the gateway how an account stands and what it paid out: after a visit, and daily."""
    gateway = gateways.current()
    with db.unit_of_work() as session:
        known = _of(session, instructor_id, gateway.name)
        account_id = known.account_id if known else None
    if account_id is None:
        return
    asked_at = clock.now()
    try:
        fact = account_events.account(gateway.found(Thing.ACCOUNT, account_id))
    except GatewayMissing:
        fact = account_events.deauthorized(account_id)
    with db.unit_of_work() as session:
        held = _locked(session, fact.account_id)
        if held:
            held.hear(fact.status, asked_at)
    if fact.status is not PayeeStatus.CLOSED:
        _refresh_payouts(gateway, account_id)


def _refresh_payouts(gateway: Gateway, account_id: str) -> None:
    """Events of an account that were missed are on no list of ours: its payouts themselves are.

    A key that may not look into accounts still pays them.
    """
    try:
        listed = gateway.listed(Thing.PAYOUT, since=clock.now() - PAYOUTS_OF, of=account_id)
        found = [account_events.payout(one, account_id) for one in listed]
    except GatewayRefused:
        log.warning("nobody says what an account paid out", extra={"account": account_id})
        return
    with db.unit_of_work() as session:
        for fact in found:
            _record_payout(session, fact)


def refresh_all(session: Session) -> None:
    """What thin events tell is in no list that could be pulled, so all are read again daily."""
    ours = select(Payee.instructor_id).where(Payee.gateway == gateways.current().name)
    for number in session.scalars(ours):
        queue.defer(session, "payees.refresh", once=f"payee:{number}", instructor_id=number)


def record(session: Session, fact: AccountFact | PayoutFact) -> None:
    """What an event says. Raises NotOurs for an account that is nobody's here."""
    payee = _locked(session, fact.account_id)
    if payee is None:
        raise NotOurs("It is about an account of nobody here.")
    if isinstance(fact, PayoutFact):
        _record_payout(session, fact)
        return
    before = payee.status
    payee.hear(fact.status, clock.now())
    if before is not payee.status:
        change = {"status": before.value}, {"status": payee.status.value}
        audit.note(session, None, "payee.change", f"user {payee.instructor_id}", *change)


def finish_in_sandbox(session: Session, account_id: str) -> None:
    """Play that the instructor told the gateway everything."""
    row = sandbox_connect.locked(session, account_id)
    row.finish()
    sandbox_connect.announce(session, CAPABILITY, row)


def ensure_in_sandbox(session: Session, account_id: str) -> bool:
    """Whether the sandbox's onboarding of this account is over. Raises NotFound without one."""
    return sandbox_connect.locked(session, account_id).is_complete


def _record_payout(session: Session, fact: PayoutFact) -> None:
    """Only a higher rank replaces a lower one: what was paid may still fail, never the reverse."""
    new = insert(BankPayout).values(
        payout_id=fact.payout_id,
        account_id=fact.account_id,
        amount_minor=fact.amount.minor,
        amount_currency=fact.amount.currency,
        status=fact.status,
        rank=fact.status.rank,
        failure=fact.failure,
        arrives_at=fact.arrives_at,
    )
    changes = {name: new.excluded[name] for name in ("status", "rank", "failure", "arrives_at")}
    newer = BankPayout.rank < new.excluded.rank
    once = new.on_conflict_do_update(
        index_elements=[BankPayout.payout_id], set_=changes, where=newer
    )
    session.execute(once)


def _keep(session: Session, instructor_id: int, gateway: str, account_id: str) -> None:
    """One account for each; who has closed theirs and comes back gets a new one."""
    now = clock.now()
    new = insert(Payee).values(
        instructor_id=instructor_id,
        gateway=gateway,
        account_id=account_id,
        status=PayeeStatus.NEW,
        asked_at=now,
        created_at=now,
    )
    again = {name: new.excluded[name] for name in ("account_id", "status", "asked_at")}
    session.execute(
        new.on_conflict_do_update(
            index_elements=[Payee.instructor_id, Payee.gateway],
            set_=again,
            where=(Payee.status == PayeeStatus.CLOSED) & (Payee.account_id != account_id),
        )
    )


def _of(session: Session, instructor_id: int, gateway: str) -> Payee | None:
    return session.scalar(
        select(Payee).where(Payee.instructor_id == instructor_id, Payee.gateway == gateway)
    )


def _locked(session: Session, account_id: str) -> Payee | None:
    asked = select(Payee).where(Payee.account_id == account_id)
    return session.scalar(asked.with_for_update().execution_options(populate_existing=True))
