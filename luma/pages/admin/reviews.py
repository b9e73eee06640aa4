"""Reviews that somebody reported: `/admin/reviews`. Hide one with a reason, or let it stand."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services import review_desk

router = APIRouter()


@page(router, "/admin/reviews", "Reviews · Admin")
async def reported() -> None:
    async def read() -> Mapping[str, object]:
        return {"reviews": await act(review_desk.reported)}

    await section.show("reviews", read, {"hide": _hide, "show": _show, "dismiss": _dismiss})


async def _hide(wish: Wish) -> str:
    await act(review_desk.hide, wish.thing, wish.fields.get("reason"))
    return "The review is hidden. Its writer sees why."


async def _show(wish: Wish) -> str:
    await act(review_desk.show_again, wish.thing)
    return "The review is shown again."


async def _dismiss(wish: Wish) -> str:
    await act(review_desk.dismiss, wish.thing)
    return "The review stays, the reports are settled."
