"""What the school owes to whom, and what an admin has paid by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.ledger import LedgerAccount, LedgerKind
from luma.models.payee import HandPayout, Payee
from luma.models.payment import Payment
from luma.models.user import User
from luma.services import audit, clock, policies, spreadsheets, texts
from luma.services.money import ledger, owed, payouts
from luma.services.policies import Actor
from luma.values import Money

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Debt:
    """What the school owes one instructor, by gateway and currency."""

    key: str
    instructor: str
    email: str
    gateway: str
    due: Money
    held: Money
    back: Money
    on_its_way: Money
    account: str | None
    """How their account at this gateway stands; None without one."""

    @property
    def is_by_itself(self) -> bool:
        return self.account == "active"

    @property
    def payable(self) -> Money:
        return Money(max(0, self.due.minor - self.back.minor), self.due.currency)


def debts(session: Session, actor: Actor) -> list[Debt]:
    """What is owed to whom: who waits for most first."""
    policies.ensure_admin(actor)
    sale = owed.sales()
    left = sale.c.owed - sale.c.on_its_way
    due = func.coalesce(func.sum(left).filter(sale.c.is_due, left > 0), 0)
    columns = (sale.c.instructor_id, sale.c.gateway, sale.c.currency)
    rows = session.execute(
        select(
            User.name,
            User.email,
            *columns,
            due.label("due"),
            *payouts.sums(sale, left),
            Payee.status,
        )
        .join(User, User.id == sale.c.instructor_id)
        .outerjoin(
            Payee,
            (Payee.instructor_id == sale.c.instructor_id) & (Payee.gateway == sale.c.gateway),
        )
        .where((sale.c.owed != 0) | (sale.c.on_its_way != 0))
        .group_by(*columns, User.name, User.email, Payee.status)
        .order_by(due.desc(), sale.c.instructor_id)
        .limit(MOST_LISTED)
    )
    ahead = owed.ahead(session)
    return [_with_ahead(_debt(row), ahead) for row in rows]


def _with_ahead(debt: Debt, ahead: Mapping[owed.Account, int]) -> Debt:
    """What was sent past LUMA for no sale in particular is kept back as well."""
    sent = max(0, ahead.get(_read(debt.key), 0))
    return replace(debt, back=Money(debt.back.minor + sent, debt.back.currency))


def table(session: Session, actor: Actor) -> str:
    """The same for a spreadsheet, in which nobody's name is a formula."""
    headings = ["Instructor", "E-mail address", "Gateway", "Currency", "To pay", "Held", "Account"]
    rows = [
        [
            debt.instructor,
            debt.email,
            debt.gateway,
            debt.due.currency.upper(),
            debt.payable.decimal(),
            debt.held.decimal(),
            debt.account or "none",
        ]
        for debt in debts(session, actor)
    ]
    return spreadsheets.sheet(headings, rows)


def mark_paid(session: Session, actor: Actor, key: object, seen: object, note: object) -> Money:
    """An admin has paid by hand what is due. Raises RuleBroken when it is another sum by now.

    `key` names instructor, gateway and currency; `seen` is the sum that the admin saw.
    """
    policies.ensure_admin(actor)
    instructor_id, gateway, currency = _read(key)
    words = texts.line(note, "Note", 200)
    owed.hold(session, instructor_id)
    payee = session.scalar(
        select(Payee).where(Payee.instructor_id == instructor_id, Payee.gateway == gateway)
    )
    if payee and payee.is_payable:
        raise RuleBroken("This instructor is paid through the gateway. Paying by hand is twice.")
    due = [
        sale for sale in owed.carry(session, instructor_id, gateway) if sale.currency == currency
    ]
    if not due:
        raise RuleBroken("Nothing is due any more. Load the page again.")
    amount = Money(sum(sale.left for sale in due), currency)
    if texts.line(seen, "Amount", 40) != amount.decimal():
        raise RuleBroken("The sum has changed meanwhile. Load the page again.")
    made = HandPayout(
        instructor_id=instructor_id,
        gateway=gateway,
        amount=amount,
        note=words,
        marked_by_id=actor.id,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    _post(session, made, due)
    after = {"amount": amount.decimal(), "currency": currency, "note": words}
    audit.note(session, actor, "payout.mark_paid", f"user {instructor_id}", after=after)
    return amount


def _post(session: Session, made: HandPayout, due: Sequence[owed.OpenSale]) -> None:
    for sale in due:
        lines = {LedgerAccount.INSTRUCTOR: sale.left, LedgerAccount.BANK: -sale.left}
        thing = f"{made.id}:{sale.payment_id}"
        posting = ledger.Posting(LedgerKind.PAID_BY_HAND, thing, made.created_at, lines)
        payment = session.get_one(Payment, sale.payment_id)
        ledger.write(session, posting, made.gateway, payment, made.instructor_id)


def _read(key: object) -> tuple[int, str, str]:
    number, _, rest = texts.line(key, "Payout", 60).partition(":")
    gateway, _, currency = rest.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise RuleBroken("There is no such payout. Load the page again.")
    return int(number), gateway, currency


def _debt(row: Row[*tuple[Any, ...]]) -> Debt:
    name, email, number, gateway, currency, due, held, back, moving, account = row
    money = [Money(int(str(minor)), str(currency)) for minor in (due, held, back, moving)]
    return Debt(
        key=f"{number}:{gateway}:{currency}",
        instructor=str(name),
        email=str(email),
        gateway=str(gateway),
        due=money[0],
        held=money[1],
        back=money[2],
        on_its_way=money[3],
        account=str(account) if account else None,
    )
