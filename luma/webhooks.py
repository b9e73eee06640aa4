"""Routes for machines: Stripe, and the sandbox in its place."""

import logging

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from luma.bridge import perform
from luma.errors import LumaError, ServiceDown, TooLarge
from luma.services import gateways, inbox

router = APIRouter(prefix="/webhooks", include_in_schema=False)

log = logging.getLogger(__name__)

MOST_BYTES = 2**20


@router.post("/stripe")
async def stripe_webhook(request: Request) -> Response:
    """200 once the event is stored, new or not. Any other answer makes Stripe deliver again."""
    try:
        payload = await _capped_body(request)
        signature = request.headers.get("Stripe-Signature", "")
        event = gateways.current().verified(payload, signature)
        await perform(inbox.receive, event)
    except ClientDisconnect:
        return Response(status_code=400)
    except LumaError as refusal:
        log.warning("an event was refused", extra={"why": str(refusal)})
        again = {"Retry-After": "30"} if isinstance(refusal, ServiceDown) else None
        return Response(str(refusal), refusal.status, again, "text/plain")
    return Response(status_code=200)


async def _capped_body(request: Request) -> bytes:
    """Read no more than is allowed, whatever Content-Length says. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge("An event has at most 1 MB.")
    return bytes(body)
