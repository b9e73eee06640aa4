"""Every order of the school: `/admin/orders`, and each of them: `/admin/orders/{order}`."""

from collections.abc import Mapping

from nicegui import APIRouter, ui

from luma.pages import assets, section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.pages.studio import sale
from luma.services.money import desk

router = APIRouter()


@page(router, "/admin/orders", "Orders · Admin")
async def every_order(q: str = "", only: str = "all") -> None:
    growing, kept = section.Growing(), desk.only(only)

    async def read() -> Mapping[str, object]:
        found = await act(desk.found, q, kept, growing.most)
        return {"words_asked": q, "only": kept, "orders": found}

    ui.add_head_html(assets.tag("sale.css"))
    await section.show("orders", read, {"more": growing.grow})


@page(router, "/admin/orders/{order}", "Order · Admin")
async def one_order(order: str) -> None:
    await act(desk.ensure_runs_school)
    await sale.show(order, "order", of="admin", back="/admin/orders", back_words="Orders")
