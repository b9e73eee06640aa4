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
from luma.services.money import (
    comparison,
    drift,
    endpoint_repair,
    payments_health,
    pulling,
    timeline,
)
from luma.services.money.endpoint_repair import Created
from luma.settings import settings

router = APIRouter()


@page(router, "/admin/payments", "Payments · Admin")
async def payments(code: str = "") -> None:
    told_once: list[Created] = []

    async def create(wish: Wish) -> str:
        """Its secret is drawn once: the next time the page is drawn it is gone."""
        told_once.append(await offload(endpoint_repair.create, _key(), wish.thing))
        return "Created. Copy its secret now: it is not shown again."

    async def read() -> Mapping[str, object]:
        found = {
            "health": await act(payments_health.health),
            "code": code,
            "created": told_once.pop() if told_once else None,
            "endpoint": f"{settings().base_url}/webhooks/stripe/platform",
        }
        return {**found, **await _sale(code)}

    acts = {
        "reconcile": reconciling.reconcile,
        "create-endpoint": create,
        "repair-endpoint": _repair,
        "look-again": _look_again,
        "pull": _pull,
        "compare": _compare,
        "apply-again": _apply_again,
        "sell-again": _sell_again,
    }
    await section.show("payments", read, acts)


async def _repair(wish: Wish) -> str:
    return await offload(endpoint_repair.repair, _key(), wish.thing)


async def _look_again(_wish: Wish) -> str:
    return await offload(endpoint_repair.look_again, _key())


async def _pull(_wish: Wish) -> str:
    return await offload(pulling.pull_now, _key())


async def _compare(_wish: Wish) -> str:
    return await offload(comparison.compare_now, _key())


async def _apply_again(wish: Wish) -> str:
    await act(jobs.apply_again, wish.thing)
    return "The event is tried again."


async def _sell_again(wish: Wish) -> str:
    return await offload(drift.mend, _key(), wish.thing)


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
