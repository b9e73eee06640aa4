"""What Stripe refuses or does not answer, in LUMA's words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from luma.services.gateways.protocol import (
    AlreadyReturned,
    GatewayArchived,
    GatewayDown,
    GatewayMissing,
    GatewayRefused,
)

log = logging.getLogger(__name__)

MISSING = ("resource_missing", "not_found", "account_invalid")
"""Of things, of things of its second interface, and of accounts that have left the platform."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Say in LUMA's words whether it may have happened; the log has Stripe's own.

    A stored 500 is answered again to the same key for a day, so it counts as a refusal. What
    is no answer of Stripe's (a page of a proxy, with any status) counts as silence.
    """
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        log.warning("Stripe did not answer", extra={"asked": what, "cause": type(error).__name__})
        raise GatewayDown from error
    except stripe.StripeError as error:
        answered = isinstance(error.json_body, dict) and "error" in error.json_body
        fields = {"asked": what, "status": error.http_status, "code": error.code}
        log.error("Stripe refused", extra=fields | {"request_id": error.request_id})
        if not answered or error.http_status == 409:
            raise GatewayDown from error
        raise _refusal(error) from error


def _refusal(error: stripe.StripeError) -> GatewayRefused:
    return _kind(error)(error.code or "", _sentence(error))


def _kind(error: stripe.StripeError) -> type[GatewayRefused]:
    """An archived price and a coupon that is over are refused by naming the field, with no code."""
    param = getattr(error, "param", None) or ""
    if error.code in ("charge_already_refunded", "charge_disputed"):
        return AlreadyReturned
    if error.code != "resource_missing" and param.endswith("[price]"):
        return GatewayArchived
    is_missing = error.code in MISSING or param.endswith("[coupon]")
    return GatewayMissing if is_missing else GatewayRefused


def _sentence(error: stripe.StripeError) -> str:
    """Of what is wrong with the request. Other errors speak of keys and of Stripe itself."""
    is_about_it = isinstance(error, stripe.InvalidRequestError)
    return " ".join((error.user_message or "").split()) if is_about_it else ""
