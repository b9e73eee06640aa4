"""How well money is heard of: `/admin/payments`. One sale by its support code, too."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.errors import LumaError
from luma.pages import reconciling, section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.money import payments_health, timeline

router = APIRouter()


@page(router, "/admin/payments", "Payments · Admin")
async def payments(code: str = "") -> None:
    async def read() -> Mapping[str, object]:
        found = {"health": await act(payments_health.health), "code": code}
        return {**found, **await _sale(code)}

    await section.show("payments", read, {"reconcile": reconciling.reconcile})


async def _sale(code: str) -> Mapping[str, object]:
    """The line of one sale, or why there is none."""
    if not code.strip():
        return {"timeline": None, "missing": ""}
    try:
        return {"timeline": await act(timeline.of, code), "missing": ""}
    except LumaError as refusal:
        return {"timeline": None, "missing": str(refusal)}
