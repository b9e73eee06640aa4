"""The outermost layer: every request and every socket passes here first."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from luma.errors import LumaError, TooMany
from luma.pages.guard import frames, headers, limits, origins, uploads
from luma.pages.guard.rules import Rules


class Door:
    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules
        self.dressed = headers.Dress(rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins.settle_sender(scope, self.rules.proxy)
        send = self.dressed(scope, send)
        try:
            origins.check_request(scope, self.rules)
            limits.count_page(scope)
            most = await uploads.most_bytes(scope, self.rules)
            limits.check_length(scope, most)
        except LumaError as refusal:
            await self._refusal(scope, refusal)(scope, receive, send)
        else:
            await limits.bounded(self.app, most)(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins.settle_sender(scope, self.rules.proxy)
        try:
            origins.check_socket(scope, self.rules)
            seat = limits.seat(scope)
        except LumaError:
            await send({"type": "websocket.close", "code": 1008})
            return
        with seat:
            await self.app(scope, frames.paced(receive), send)

    def _refusal(self, scope: Scope, refusal: LumaError) -> Response:
        response = self.rules.answer(Request(scope), refusal)
        if isinstance(refusal, TooMany):
            wait = str(limits.COME_BACK_SECONDS)
            response.headers["Retry-After"] = wait
            response.headers["Refresh"] = wait
        return response
