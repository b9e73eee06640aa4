"""What stands between a hostile browser and NiceGUI: origins, sockets, limits, headers.

`protect` goes around the app once, after `ui.run_with` and before it serves. The numbers are
in `limits`; the parts lean on NiceGUI's inside and say so at start when it has changed.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import nicegui
from fastapi import FastAPI
from starlette.types import ASGIApp

from luma.pages.guard import headers, limits, noise, sockets, uploads
from luma.pages.guard.door import Door
from luma.pages.guard.lives import end_session, session_key
from luma.pages.guard.rules import Answer, Rules, doors, network, plain_answer

__all__ = ["TRIED_WITH", "end_session", "limits", "nonce", "protect", "session_key"]

TRIED_WITH = "3.18."
"""The NiceGUI that the attacks in tests/pages/test_guard were run against."""


def protect(  # noqa: PLR0913  (each is one thing that only the app knows)
    app: FastAPI,
    *,
    origin: str,
    is_secure: bool,
    trusted_proxy: str | None,
    frame_origin: str,
    session_of: Callable[[Mapping[str, str]], str | None],
    is_alive: Callable[[str], Awaitable[bool]],
    other_origins: Iterable[str] = (),
    checkout_origin: str = "https://checkout.stripe.com",
    answer: Answer = plain_answer,
) -> None:
    """Put the guard around `app` and into NiceGUI.

    `session_of` reads an opaque key from cookies, `is_alive` asks the database about it.
    `other_origins` are more addresses of this very server, such as a desktop window's.
    `answer` makes the response to a refusal; it may be the app's own error page.
    Raises RuntimeError when NiceGUI is not the one this was tried with.
    """
    if not nicegui.__version__.startswith(TRIED_WITH):
        raise RuntimeError(
            f"The guard was tried with NiceGUI {TRIED_WITH}x, not {nicegui.__version__}: "
            "run tests/pages/test_guard, then raise luma.pages.guard.TRIED_WITH."
        )
    rules = Rules(
        origins=doors(origin, *other_origins),
        is_secure=is_secure,
        proxy=network(trusted_proxy),
        frame_origin=frame_origin,
        checkout_origin=checkout_origin,
        session_of=session_of,
        is_alive=is_alive,
        answer=answer,
    )
    headers.lend_nonce()
    sockets.watch(rules)
    uploads.watch()
    noise.hush()
    _surround(app, rules)


def nonce() -> str:
    """What an inline script of the NiceGUI page being built must carry."""
    value: str = nicegui.ui.context.client.request.state.csp_nonce
    return value


def _surround(app: FastAPI, rules: Rules) -> None:
    """Stand outside of everything, error pages too: no middleware of an app gets there."""
    build = app.build_middleware_stack

    def guarded() -> ASGIApp:
        return Door(build(), rules)

    app.build_middleware_stack = guarded  # type: ignore[method-assign]
