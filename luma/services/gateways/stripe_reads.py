"""Stripe's things one by one, as they are now. Called by stripe.py."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import stripe

from luma.services.gateways import stripe_connect
from luma.services.gateways.protocol import Thing
from luma.services.gateways.reversal_events import BALANCE

Found = dict[str, object]


def checkout(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.checkout.sessions.retrieve(thing_id).to_dict()


def invoice(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.invoices.retrieve(thing_id).to_dict()


def charge(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.charges.retrieve(thing_id, {"expand": ["balance_transaction"]}).to_dict()


def refund(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.refunds.retrieve(thing_id, {"expand": list(BALANCE)}).to_dict()


def dispute(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.disputes.retrieve(thing_id).to_dict()


def fraud_warning(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.radar.early_fraud_warnings.retrieve(thing_id).to_dict()


def product(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.products.retrieve(thing_id).to_dict()


def price(client: stripe.StripeClient, thing_id: str) -> Found:
    return client.v1.prices.retrieve(thing_id, {"expand": ["currency_options"]}).to_dict()


READS: Mapping[Thing, Callable[[stripe.StripeClient, str], Found]] = MappingProxyType(
    {
        Thing.CHECKOUT: checkout,
        Thing.INVOICE: invoice,
        Thing.CHARGE: charge,
        Thing.REFUND: refund,
        Thing.DISPUTE: dispute,
        Thing.FRAUD_WARNING: fraud_warning,
        Thing.PRODUCT: product,
        Thing.PRICE: price,
        Thing.ACCOUNT: stripe_connect.account,
        Thing.PAYOUT: stripe_connect.payout,
        Thing.TRANSFER: stripe_connect.transfer_with_reversals,
    }
)
