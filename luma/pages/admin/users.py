"""Everybody with an account: `/admin/users`. Roles, keeping out, signing out."""

from collections.abc import Iterable, Mapping

from nicegui import APIRouter

from luma.pages import guard, section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.admin import people

router = APIRouter()


@page(router, "/admin/users", "Users · Admin")
async def users(q: str = "") -> None:
    growing = section.Growing()

    async def read() -> Mapping[str, object]:
        return {"words_asked": q, "people": await act(people.found, q, growing.most)}

    acts = {
        "grant": _grant,
        "take": _take,
        "disable": _disable,
        "enable": _enable,
        "sign-out": _sign_out,
        "verify": _verify,
        "more": growing.grow,
    }
    await section.show("users", read, acts)


async def _grant(wish: Wish) -> str:
    _end(await act(people.grant_role, wish.thing, wish.fields.get("role")))
    return "The role is given. They are asked to sign in again."


async def _take(wish: Wish) -> str:
    _end(await act(people.take_role, wish.thing, wish.fields.get("role")))
    return "The role is taken. They are asked to sign in again."


async def _disable(wish: Wish) -> str:
    _end(await act(people.disable, wish.thing, wish.fields.get("reason")))
    return "The account is disabled and signed out everywhere; what it sells is hidden."


async def _enable(wish: Wish) -> str:
    await act(people.enable, wish.thing)
    return "The account can be used again."


async def _sign_out(wish: Wish) -> str:
    _end(await act(people.sign_out, wish.thing))
    return "They are signed out everywhere."


async def _verify(wish: Wish) -> str:
    await act(people.verify_again, wish.thing)
    return "The letter with the link is on its way."


def _end(keys: Iterable[str]) -> None:
    """After the commit: their open pages stop at once."""
    for key in keys:
        guard.end_session(key)
