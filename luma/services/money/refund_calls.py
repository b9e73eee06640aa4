"""One refund at the gateway for each request of ours, whatever became of an answer."""

from collections.abc import Mapping
from typing import Any

from luma.models.reversal import RefundRequest
from luma.services import clock
from luma.services.gateways import things
from luma.services.gateways.protocol import KEYS_LAST, Gateway, GatewayRefused, Thing


def made(gateway: Gateway, payment: str, request: RefundRequest) -> Mapping[str, Any]:
    """The refund of this request, made now or before. Waits for the network.

    It is looked for where its key may be forgotten, and after a refusal: what Stripe calls a
    failure of its own may have been done. Raises GatewayRefused.
    """
    key = request.operation_key
    is_old = clock.now() - request.created_at > KEYS_LAST
    if is_old and (known := _found(gateway, payment, key)):
        return known
    try:
        return gateway.refund(payment, request.amount, key)
    except GatewayRefused:
        if known := _found(gateway, payment, key):
            return known
        raise


def _found(gateway: Gateway, payment: str, key: str) -> Mapping[str, Any] | None:
    there = gateway.listed(Thing.REFUND, of=payment)
    return next((one for one in there if things.reference_of(one) == key), None)
