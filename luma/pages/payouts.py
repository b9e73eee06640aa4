"""What instructors are owed and paid: `/studio/payouts`, and for admins `/admin/payouts`."""

import contextlib
from collections.abc import Mapping

from fastapi import APIRouter as PlainRouter
from fastapi import Request
from nicegui import APIRouter, ui
from starlette.responses import Response

from luma.bridge import apart
from luma.errors import ServiceDown
from luma.pages import assets, section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act, act_in
from luma.services.money import (
    hand_payouts,
    outside_transfers,
    payees,
    payouts,
    stopped_transfers,
)

router = APIRouter()
downloads = PlainRouter(include_in_schema=False)

STATES = {
    "held": ("light", "Held"),
    "disputed": ("warning", "Disputed"),
    "due": ("light", "Due"),
    "on_its_way": ("light", "On its way"),
    "back": ("warning", "To be kept back"),
    "paid": ("positive", "Settled"),
}
BANK = {
    "pending": ("", "Planned"),
    "in_transit": ("light", "On its way to your bank"),
    "paid": ("positive", "At your bank"),
    "failed": ("negative", "Your bank refused it"),
    "canceled": ("", "Cancelled"),
}
ACCOUNTS = {
    "new": "not set up to the end",
    "pending": "being checked",
    "active": "set up",
    "restricted": "not set up to the end",
    "unsupported": "not possible",
    "closed": "closed",
}


@page(router, "/studio/payouts", "Payouts · Studio")
async def my_payouts(back: str = "") -> None:
    growing = section.Growing()
    if back:
        await _look()

    async def read() -> Mapping[str, object]:
        return {
            "payouts": await act(payouts.mine, growing.most),
            "connection": await act(payees.connection),
            "states": STATES,
            "bank_states": BANK,
        }

    ui.add_head_html(assets.tag("sales.css"))
    await section.show("payouts", read, {"connect": _connect, "more": growing.grow}, of="studio")


@page(router, "/admin/payouts", "Payouts · Admin")
async def all_payouts() -> None:
    async def read() -> Mapping[str, object]:
        return {
            "debts": await act(hand_payouts.debts),
            "stopped": await act(stopped_transfers.stopped),
            "foreign": await act(outside_transfers.foreign),
            "accounts": ACCOUNTS,
        }

    ui.add_head_html(assets.tag("sales.css"))
    await section.show("payouts", read, {"paid": _mark_paid, "again": _try_again})


@downloads.get("/admin/payouts.csv")
async def spreadsheet(request: Request) -> Response:
    return Response(
        await act_in(request, hand_payouts.table),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="payouts.csv"',
            "Cache-Control": "no-store",
        },
    )


async def _connect(_wish: Wish) -> str:
    """The gateway is asked outside of any transaction; then the browser goes there."""
    number = await act(payees.begin)
    ui.navigate.to(await apart(payees.onboard, number))
    return ""


async def _look() -> None:
    """Back from the gateway: how does the account stand now? Without an answer, an event says."""
    number = await act(payees.come_back)
    with contextlib.suppress(ServiceDown):
        await apart(payees.refresh, number)


async def _mark_paid(wish: Wish) -> str:
    amount = await act(
        hand_payouts.mark_paid, wish.thing, wish.fields.get("amount"), wish.fields.get("note")
    )
    return f"{amount.words()} is marked as paid."


async def _try_again(wish: Wish) -> str:
    return await act(stopped_transfers.try_again, wish.thing)
