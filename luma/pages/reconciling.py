"""The one button of a stuck sale, wherever its timeline stands."""

from nicegui import ui

from luma.bridge import offload
from luma.pages.components.board import Wish
from luma.pages.session import key_in
from luma.services.money import reconciliation


async def reconcile(wish: Wish) -> str:
    """Ask the gateway how the order stands. Returns what it said, as one sentence."""
    key = key_in(ui.context.client.request.cookies)
    return await offload(reconciliation.reconcile, key, wish.thing)
