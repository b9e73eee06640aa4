"""The headers of every answer, and the nonce that lets a page's own scripts run."""

import re
import secrets
from pathlib import Path

import nicegui
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, select_autoescape
from nicegui import client
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.templating import Jinja2Templates
from starlette.types import Message, Scope, Send

from luma.pages.guard.rules import Rules

SCRIPT_TAGS = 13
"""How many the page template of NiceGUI 3.18 has; each must carry the nonce."""

VIDEO_IMAGES = "https://i.ytimg.com"
POLICY = b"content-security-policy"
CACHE = b"cache-control"
_NONCE = "{nonce}"


def lend_nonce() -> None:
    """Give NiceGUI's own scripts the nonce. Raises RuntimeError when its template has changed."""
    folder = Path(nicegui.__file__).parent / "templates"
    page = with_nonce((folder / "index.html").read_text("utf-8"))
    loader = ChoiceLoader([DictLoader({"index.html": page}), FileSystemLoader(folder)])
    environment = Environment(loader=loader, autoescape=select_autoescape())
    client.templates = Jinja2Templates(env=environment)


def with_nonce(template: str) -> str:
    tag = '<script nonce="{{ request.state.csp_nonce }}"'
    page, tags = re.subn(r"<script(?=[\s>])", tag, template)
    if tags != SCRIPT_TAGS:
        raise RuntimeError(
            f"NiceGUI's page template has {tags} script tags instead of {SCRIPT_TAGS}: "
            "read it again before a nonce is given to all of them."
        )
    return page


class Dress:
    """Adds headers to answers. Called with a request's `send`, gives the `send` to use."""

    def __init__(self, rules: Rules) -> None:
        self._session_of = rules.session_of
        self._fixed = _fixed(rules)
        self._plain = _policy(rules, scripts=f"'self' 'nonce-{_NONCE}'", styles="'self'")
        # Vue compiles templates in the browser; Quasar writes styles and previews chosen files.
        self._nicegui = _policy(
            rules,
            scripts=f"'self' 'nonce-{_NONCE}' 'unsafe-eval'",
            styles="'self' 'unsafe-inline'",
            images="blob:",
        )

    def __call__(self, scope: Scope, send: Send) -> Send:
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(message, scope, nonce)
            await send(message)

        return with_headers

    def _dress(self, message: Message, scope: Scope, nonce: str) -> None:
        """A header that the route has set stays as it is."""
        sent: dict[bytes, bytes] = {name.lower(): value for name, value in message["headers"]}
        policy = self._nicegui if sent.get(b"x-nicegui-content") == b"page" else self._plain
        added = [*self._fixed, (POLICY, policy.replace(_NONCE, nonce).encode())]
        if CACHE not in sent and self._is_private(sent, scope):
            added.append((CACHE, b"no-store"))
        message["headers"] = [*message["headers"], *(new for new in added if new[0] not in sent)]

    def _is_private(self, sent: dict[bytes, bytes], scope: Scope) -> bool:
        """Whether somebody signed in gets what may tell about them."""
        if not sent.get(b"content-type", b"").startswith((b"text/html", b"application/json")):
            return False
        return self._session_of(cookies(scope)) is not None


def cookies(scope: Scope) -> dict[str, str]:
    sent = Headers(scope=scope).get("cookie")
    return cookie_parser(sent) if sent else {}


def _policy(rules: Rules, *, scripts: str, styles: str, images: str = "") -> str:
    parts = [
        "default-src 'none'",
        f"script-src {scripts}",
        "script-src-attr 'none'",
        f"style-src {styles}",
        f"img-src 'self' data: {VIDEO_IMAGES} {images}".rstrip(),
        "font-src 'self'",
        "connect-src 'self'",
        f"frame-src {rules.frame_origin}",
        f"form-action 'self' {rules.checkout_origin}",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "manifest-src 'self'",
    ]
    return "; ".join([*parts, "upgrade-insecure-requests"] if rules.is_secure else parts)


def _fixed(rules: Rules) -> list[tuple[bytes, bytes]]:
    """No COEP and no stricter referrer: YouTube plays with neither."""
    here_and_video = f'(self "{rules.frame_origin}")'
    shared = ("fullscreen", "autoplay", "encrypted-media", "picture-in-picture")
    refused = ("camera", "microphone", "geolocation", "payment", "usb")
    permissions = [f"{name}=()" for name in refused] + [f"{n}={here_and_video}" for n in shared]
    fixed = [
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", ", ".join(permissions)),
    ]
    if rules.is_secure:
        fixed.append(("strict-transport-security", "max-age=63072000"))
    return [(name.encode(), value.encode()) for name, value in fixed]
