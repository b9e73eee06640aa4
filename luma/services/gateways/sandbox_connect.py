"""Accounts and transfers of the sandbox: the same steps as at Stripe, and no money."""

import json
import re
import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound
from luma.models.payee import SandboxAccount
from luma.services import clock, queue
from luma.services.gateways import sandbox_post
from luma.services.gateways.protocol import TransferRequest
from luma.services.gateways.sandbox_events import JSON
from luma.settings import settings

_ACCOUNT_ID = re.compile(r"acct_sbx_[0-9a-f]{24}")


def create_payee(email: str, name: str, key: str) -> str:
    sandbox_post.ensure_on()
    with db.unit_of_work() as session:
        new = insert(SandboxAccount).values(
            account_id=f"acct_sbx_{secrets.token_hex(12)}",
            operation_key=key,
            is_complete=False,
            created_at=clock.now(),
        )
        session.execute(new.on_conflict_do_nothing(index_elements=[SandboxAccount.operation_key]))
        made = select(SandboxAccount.account_id).where(SandboxAccount.operation_key == key)
        return session.scalars(made).one()


def onboarding_address(account_id: str, here: str) -> str:
    sandbox_post.ensure_on()
    return f"{settings().base_url}/sandbox/onboarding/{account_id}"


def transfer(request: TransferRequest, key: str) -> str:
    return f"{'trr' if request.of else 'tr'}_sbx_{sandbox_post.short(key)}"


def transfer_made(request: TransferRequest) -> str | None:
    """Nothing is kept of a transfer: asked again, its key makes the same id."""
    return None


def locked(session: Session, account_id: str) -> SandboxAccount:
    """Raises NotFound."""
    sandbox_post.ensure_on()
    found = None
    if _ACCOUNT_ID.fullmatch(account_id):
        asked = select(SandboxAccount).where(SandboxAccount.account_id == account_id)
        found = session.scalar(asked.with_for_update())
    if found is None:
        raise NotFound("There is no such account.")
    return found


def account(row: SandboxAccount) -> JSON:
    status = "active" if row.is_complete else "restricted"
    details = (
        [] if row.is_complete else [{"code": "requirements_past_due", "resolution": "provide_info"}]
    )
    capability = {"status": status, "status_details": details}
    return {
        "id": row.account_id,
        "object": "v2.core.account",
        "applied_configurations": ["recipient"],
        "closed": False,
        "configuration": {
            "recipient": {
                "applied": True,
                "capabilities": {"stripe_balance": {"stripe_transfers": capability}},
            }
        },
        "created": row.created_at.isoformat(),
        "dashboard": "express",
        "livemode": False,
    }


def announce(session: Session, kind: str, row: SandboxAccount) -> None:
    """Send a thin event: it says whom it is about, and no more."""
    session.flush()
    payload = json.dumps(thin(kind, row.account_id), separators=(",", ":"))
    queue.defer(session, "sandbox.deliver", payload=payload)


def thin(kind: str, account_id: str) -> JSON:
    return {
        "id": f"evt_sbx_{secrets.token_hex(12)}",
        "object": "v2.core.event",
        "type": kind,
        "livemode": False,
        "created": clock.now().isoformat(),
        "related_object": {
            "id": account_id,
            "type": "v2.core.account",
            "url": f"/v2/core/accounts/{account_id}",
        },
    }
