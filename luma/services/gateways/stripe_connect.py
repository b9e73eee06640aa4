"""Stripe Connect: accounts of those who are paid, and transfers to them. Called by stripe.py."""

from collections.abc import Sequence

import stripe

from luma.services.gateways.protocol import TransferRequest


def create_payee(client: stripe.StripeClient, email: str, name: str, key: str) -> str:
    """An account that only receives. Fees and losses stay with the platform, which sells."""
    made = client.v2.core.accounts.create(
        {
            "contact_email": email,
            "display_name": name,
            "dashboard": "express",
            "configuration": {
                "recipient": {
                    "capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}
                }
            },
            "defaults": {
                "responsibilities": {
                    "fees_collector": "application",
                    "losses_collector": "application",
                }
            },
        },
        {"idempotency_key": key},
    )
    return made.id


def onboarding_address(client: stripe.StripeClient, account_id: str, here: str) -> str:
    """A link for one visit. Stripe leads to `here` at the end, and also when it has run out."""
    link = client.v2.core.account_links.create(
        {
            "account": account_id,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {
                    "refresh_url": f"{here}?again=1",
                    "return_url": f"{here}?back=1",
                },
            },
        }
    )
    return link.url


def account(client: stripe.StripeClient, account_id: str) -> dict[str, object]:
    found = client.v2.core.accounts.retrieve(
        account_id, {"include": ["configuration.recipient", "requirements"]}
    )
    return found.to_dict()


def payout(client: stripe.StripeClient, thing_id: str) -> dict[str, object]:
    """`thing_id` is that of the account and, after a stroke, that of the payout in it."""
    account_id, _, payout_id = thing_id.partition("/")
    return client.v1.payouts.retrieve(payout_id, options={"stripe_account": account_id}).to_dict()


def transfer_with_reversals(client: stripe.StripeClient, transfer_id: str) -> dict[str, object]:
    """All of them: by itself it lists no more than the last ten."""
    found = client.v1.transfers.retrieve(transfer_id).to_dict()
    back = client.v1.transfers.reversals.list(transfer_id, {"limit": 100})
    listed = [one.to_dict() for one in back.auto_paging_iter()]
    return found | {"reversals": {"object": "list", "data": listed, "has_more": False}}


def transfer(client: stripe.StripeClient, request: TransferRequest, key: str) -> str:
    """A share of one charge, which need not be available yet; or a part of a share taken back."""
    if request.of:
        back = client.v1.transfers.reversals.create(
            request.of,
            {"amount": request.amount.minor, "metadata": {"reference": request.reference}},
            {"idempotency_key": key},
        )
        return back.id
    made = client.v1.transfers.create(
        {
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "destination": request.account_id,
            "source_transaction": request.charge_id,
            "transfer_group": request.order,
            "metadata": {"reference": request.reference},
        },
        {"idempotency_key": key},
    )
    return made.id


def transfer_made(client: stripe.StripeClient, request: TransferRequest) -> str | None:
    """By the reference that went along: of an order or a transfer there are only ever a few."""
    made: Sequence[stripe.Transfer | stripe.TransferReversal]
    if request.of:
        made = client.v1.transfers.reversals.list(request.of, {"limit": 100}).data
    else:
        made = client.v1.transfers.list({"transfer_group": request.order, "limit": 100}).data
    known = {(one.to_dict().get("metadata") or {}).get("reference"): one.id for one in made}
    return known.get(request.reference)
