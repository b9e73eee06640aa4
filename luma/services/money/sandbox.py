"""What a buyer does on the sandbox's checkout page, which looks like the real one."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.payment import SandboxSession
from luma.services import clock
from luma.services.gateways import checkout_events, sandbox, sandbox_charges, sandbox_events
from luma.services.gateways.charge_events import CHARGE_UPDATED
from luma.services.gateways.protocol import CheckoutRequest
from luma.values import Money


@dataclass(frozen=True, slots=True)
class SandboxCheckout:
    session_id: str
    title: str
    price: Money
    """What is to be paid."""
    full_price: Money
    """Before the coupon's discount."""
    email: str
    state: str
    """open, promised (the money comes later), paid, failed or expired."""
    success_url: str
    cancel_url: str


def checkout(session: Session, session_id: str) -> SandboxCheckout:
    """The page as it stands. Raises NotFound, also where there is no sandbox."""
    return _view(_locked(session, session_id))


def pay(session: Session, session_id: str) -> SandboxCheckout:
    row = _open(session, session_id)
    row.pay()
    sandbox.emit(session, checkout_events.COMPLETED, sandbox_events.session(row))
    _charge(session, row)
    return _view(row)


def pay_later(session: Session, session_id: str) -> SandboxCheckout:
    """As with a bank debit: the buyer is done, the money is not there yet."""
    row = _open(session, session_id)
    row.promise()
    sandbox.emit(session, checkout_events.COMPLETED, sandbox_events.session(row))
    return _view(row)


def settle(session: Session, session_id: str) -> SandboxCheckout:
    """The promised money arrives."""
    row = _locked(session, session_id)
    row.keep()
    sandbox.emit(session, checkout_events.SUCCEEDED_LATE, sandbox_events.session(row))
    _charge(session, row)
    return _view(row)


def bounce(session: Session, session_id: str) -> SandboxCheckout:
    """The promised money does not arrive."""
    row = _locked(session, session_id)
    row.break_off()
    sandbox.emit(session, checkout_events.FAILED_LATE, sandbox_events.session(row))
    return _view(row)


def expire(session: Session, session_id: str) -> SandboxCheckout:
    row = _locked(session, session_id)
    row.expire()
    sandbox.emit(session, checkout_events.EXPIRED, sandbox_events.session(row))
    return _view(row)


def _charge(session: Session, row: SandboxSession) -> None:
    """What was paid in full settles at once. Nothing is charged for what a coupon paid."""
    charge = sandbox_charges.charge(row)
    if charge["amount"]:
        sandbox.emit(session, CHARGE_UPDATED, charge)


def _open(session: Session, session_id: str) -> SandboxSession:
    """Raises RuleBroken once its time is over, as Stripe's page does."""
    row = _locked(session, session_id)
    if row.status == "open" and row.expires_at <= clock.now():
        raise RuleBroken("This checkout has expired. Go back to the course and start again.")
    return row


def _locked(session: Session, session_id: str) -> SandboxSession:
    sandbox.ensure_on()
    return sandbox.locked(session, session_id)


def _view(row: SandboxSession) -> SandboxCheckout:
    request = CheckoutRequest.thawed(row.request)
    return SandboxCheckout(
        session_id=row.session_id,
        title=request.title,
        price=request.total,
        full_price=request.amount,
        email=request.email,
        state=_state(row),
        success_url=request.success_url,
        cancel_url=request.cancel_url,
    )


def _state(row: SandboxSession) -> str:
    if row.status == "complete":
        return "paid" if row.payment_status == "paid" else "promised"
    return row.status
