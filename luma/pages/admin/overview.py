"""How the school does, and what needs whoever runs it: `/admin`."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services import second_factor
from luma.services.admin import overview

router = APIRouter()


@page(router, "/admin", "Admin")
async def glance() -> None:
    async def read() -> Mapping[str, object]:
        return {
            "overview": await act(overview.overview),
            "is_wanted": await act(second_factor.is_wanted),
        }

    await section.show("overview", read)
