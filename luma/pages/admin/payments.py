"""How well money is heard of: `/admin/payments`. One sale by its support code, too."""

from collections.abc import Mapping

from nicegui import APIRouter, ui

from luma.bridge import offload
from luma.errors import LumaError
from luma.pages import reconciling, section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act, key_in
from luma.services.admin import jobs
from luma.services.money import comparison, payments_health, pulling, timeline
from luma.settings import settings

router = APIRouter()


@page(router, "/admin/payments", "Payments · Admin")
async def payments(code: str = "") -> None:
    async def read() -> Mapping[str, object]:
        found = {
            "health": await act(payments_health.health),
            "code": code,
            "endpoint": f"{settings().base_url}/webhooks/stripe/platform",
        }
        return {**found, **await _sale(code)}

    acts = {
        "reconcile": reconciling.reconcile,
        "pull": _pull,
        "compare": _compare,
        "apply-again": _apply_again,
    }
    await section.show("payments", read, acts)


async def _pull(_wish: Wish) -> str:
    return await offload(pulling.pull_now, _key())


async def _compare(_wish: Wish) -> str:
    return await offload(comparison.compare_now, _key())


async def _apply_again(wish: Wish) -> str:
    await act(jobs.apply_again, wish.thing)
    return "The event is tried again."


def _key() -> str | None:
    return key_in(ui.context.client.request.cookies)


async def _sale(code: str) -> Mapping[str, object]:
    """The line of one sale, or why there is none."""
    if not code.strip():
        return {"timeline": None, "missing": ""}
    try:
        return {"timeline": await act(timeline.of, code), "missing": ""}
    except LumaError as refusal:
        return {"timeline": None, "missing": str(refusal)}
