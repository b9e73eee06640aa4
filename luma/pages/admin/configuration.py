"""The settings in force, without secrets: `/admin/settings`."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.admin import configuration

router = APIRouter()


@page(router, "/admin/settings", "Settings · Admin")
async def in_force() -> None:
    async def read() -> Mapping[str, object]:
        return {"settings": await act(configuration.in_force)}

    await section.show("settings", read)
