"""The account on one page: `/account`. Three boards, so that saving one loses nothing typed."""

from collections.abc import Iterable

from nicegui import APIRouter, events, html, ui

from luma.bridge import offload
from luma.pages import assets, guard
from luma.pages.components.board import Board, Wish
from luma.pages.components.press import press
from luma.pages.feedback import page, said, say_note
from luma.pages.layout import frame
from luma.pages.session import act
from luma.pages.shop.render import part
from luma.services import (
    addresses,
    clock,
    covers,
    identities,
    portraits,
    profiles,
    proofs,
    second_factor,
    sessions,
)
from luma.services.profiles import MyProfile

router = APIRouter()

PICTURE_HINT = "PNG, JPEG or WebP, up to 8 MB. It is cut to a square."


@page(router, "/account", "Account")
async def account() -> None:
    profile = await act(profiles.mine)
    rest = await _rest()
    ui.add_head_html(assets.tag("account.css"))
    with frame("Account"):
        say_note()
        with html.div().classes("my-account"):
            html.h1("Account").classes("account-title")
            with html.section(**{"aria-label": "Profile"}).classes("account-part"):
                Portrait(profile)
                ProfileForm(profile)
            Rest(rest)


class Portrait:
    """The picture, beside the form: choosing one loses nothing that is typed there."""

    def __init__(self, profile: MyProfile) -> None:
        self._place = html.div().classes("account-portrait")
        self._draw(profile)

    def _draw(self, profile: MyProfile) -> None:
        self._place.clear()
        with self._place:
            shown = part(ui.context.client.request, "account_portrait.html.j2", profile=profile)
            ui.html(shown, sanitize=False)
            upload = ui.upload(
                on_upload=self._put,
                on_rejected=_refuse,
                auto_upload=True,
                max_files=1,
                max_file_size=covers.MOST_BYTES,
            ).props('accept="image/png,image/jpeg,image/webp"')
            upload.classes("unseen")
            choose = html.button("Choose a picture", type="button").classes("button outline")
            choose.on("click", js_handler=f"() => getElement({upload.id}).$refs.qRef.pickFiles()")
            if profile.picture:
                press("Remove picture", self._remove, look="quiet")

    async def _put(self, event: events.UploadEventArguments) -> None:
        event.sender.reset()  # type: ignore[attr-defined]  # the box itself
        picture = await offload(portraits.drawn, await event.file.read())
        await act(portraits.put, picture)
        self._draw(await act(profiles.mine))
        said("Your picture is changed.")

    async def _remove(self) -> None:
        await act(portraits.remove)
        self._draw(await act(profiles.mine))


class ProfileForm:
    def __init__(self, profile: MyProfile) -> None:
        self._board = Board(_form(profile), {"save": self._save})

    async def _save(self, wish: Wish) -> None:
        await act(profiles.save, wish.fields.get("name"), wish.fields.get("about"))
        self._board.show(_form(await act(profiles.mine)))
        said("Your profile is saved.")


class Rest:
    """Sign-in and security, where one is signed in, one's data."""

    def __init__(self, drawn: str) -> None:
        self._board = Board(drawn, {"end": self._end, "end-others": self._end_others})

    async def _end(self, wish: Wish) -> None:
        await self._ended(await act(sessions.end, wish.thing), "That browser is signed out.")

    async def _end_others(self, _wish: Wish) -> None:
        await self._ended(await act(sessions.end_others), "Every other browser is signed out.")

    async def _ended(self, keys: Iterable[str], sentence: str) -> None:
        """After the commit: open pages there stop at once."""
        for key in keys:
            guard.end_session(key)
        self._board.show(await _rest())
        said(sentence)


def _form(profile: MyProfile) -> str:
    request = ui.context.client.request
    return part(request, "account_profile.html.j2", profile=profile, longest=profiles.LONGEST_ABOUT)


async def _rest() -> str:
    return part(
        ui.context.client.request,
        "account_rest.html.j2",
        address=await act(addresses.standing),
        ways=await act(proofs.ways),
        factor=await act(second_factor.state),
        identities=await act(identities.of),
        sessions=await act(sessions.mine),
        now=clock.now(),
    )


def _refuse() -> None:
    ui.notification(PICTURE_HINT, type="warning", position="bottom-right")
