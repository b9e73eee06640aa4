"""Events of the sandbox, in the shape in which Stripe sends them."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta

import stripe

from luma.models.payment import SandboxReversal, SandboxSession
from luma.services.gateways.protocol import CheckoutRequest

JSON = dict[str, object]

ANSWERED_WITHIN = timedelta(days=9)


def event(kind: str, thing: JSON, now: datetime) -> str:
    """The body to deliver, as text. Each call is a new event with an id of its own."""
    return json.dumps(
        {
            "id": f"evt_sbx_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": stripe.api_version,
            "created": int(now.timestamp()),
            "data": {"object": thing},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        },
        separators=(",", ":"),
    )


def session(row: SandboxSession) -> JSON:
    """A checkout session object. It has a payment intent once somebody paid or tried."""
    request = CheckoutRequest.thawed(row.request)
    is_over = row.status in ("complete", "failed")
    return {
        "id": row.session_id,
        "object": "checkout.session",
        "client_reference_id": request.order,
        "created": int(row.created_at.timestamp()),
        "customer": None,
        "customer_details": {"email": request.email, "name": None, "tax_exempt": "none"},
        "customer_email": request.email,
        "expires_at": int(row.expires_at.timestamp()),
        "livemode": False,
        "metadata": {"order_id": request.order},
        "mode": "payment",
        "payment_intent": intent_id(row.session_id) if is_over else None,
        "payment_method_types": ["card"],
        "payment_status": row.payment_status,
        "status": "complete" if is_over else row.status,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "ui_mode": "hosted_page",
        **_amounts(request),
        **_unused(),
    }


def refund(row: SandboxReversal) -> JSON:
    return {
        "object": "refund",
        "balance_transaction": None,
        "charge": f"ch_{intent_id(row.session_id)[3:]}",
        "metadata": {},
        "reason": "requested_by_customer",
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
        **({"failure_reason": "lost_or_stolen_card"} if row.status == "failed" else {}),
        **_reversal(row),
    }


def dispute(row: SandboxReversal) -> JSON:
    """As a bank opens one for a payment that its customer does not recognise."""
    due_by = row.created_at + ANSWERED_WITHIN
    return {
        "object": "dispute",
        "balance_transactions": [],
        "charge": f"ch_{intent_id(row.session_id)[3:]}",
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": int(due_by.timestamp()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": row.status.startswith("warning"),
        "livemode": False,
        "metadata": {},
        "reason": "fraudulent",
        **_reversal(row),
    }


def _reversal(row: SandboxReversal) -> JSON:
    return {
        "id": row.object_id,
        "amount": row.amount_minor,
        "created": int(row.created_at.timestamp()),
        "currency": row.amount_currency,
        "payment_intent": intent_id(row.session_id),
        "status": row.status,
    }


def intent_id(session_id: str) -> str:
    """One payment a session, so a late success carries the id that the promise carried."""
    return f"pi_sbx_{hashlib.sha256(session_id.encode()).hexdigest()[:24]}"


def _amounts(request: CheckoutRequest) -> JSON:
    return {
        "amount_subtotal": request.amount.minor,
        "amount_total": request.total.minor,
        "currency": request.amount.currency,
        "total_details": {
            "amount_discount": request.discount,
            "amount_shipping": 0,
            "amount_tax": 0,
        },
    }


def _unused() -> JSON:
    """What every session of Stripe's has and LUMA does not use."""
    return {
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "invoice": None,
        "payment_link": None,
        "setup_intent": None,
        "shipping_options": [],
        "subscription": None,
        "url": None,
    }
