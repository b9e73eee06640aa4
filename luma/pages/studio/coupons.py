"""Coupons: `/studio/coupons` for one's own courses, `/admin/coupons` for the whole school."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.money import coupons

router = APIRouter()


@page(router, "/studio/coupons", "Coupons · Studio")
async def own() -> None:
    async def read() -> Mapping[str, object]:
        return {"shelf": await act(coupons.mine)}

    await section.show("coupons", read, {"create": _create, "end": _end}, of="studio")


@page(router, "/admin/coupons", "Coupons · Admin")
async def of_school() -> None:
    async def read() -> Mapping[str, object]:
        return {"shelf": await act(coupons.of_school)}

    await section.show("coupons", read, {"create": _create_for_school, "end": _end})


async def _create(wish: Wish) -> str:
    code = await act(coupons.create, wish.fields)
    return f"{code} is ready. Copy its link and share it."


async def _create_for_school(wish: Wish) -> str:
    return f"{await act(coupons.create_for_school, wish.fields)} is good for every course now."


async def _end(wish: Wish) -> str:
    code = await act(coupons.end, wish.thing)
    return f"{code} has ended. Who is paying with it right now keeps the price."
