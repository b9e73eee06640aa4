"""What belongs to a course beside its words: its cover, and taking it off the shelf or away."""

from collections.abc import Awaitable, Callable

from nicegui import events, html, ui

from luma.bridge import offload
from luma.pages import theme
from luma.pages.components.press import press
from luma.pages.feedback import said
from luma.pages.session import act
from luma.pages.studio.forms import COVER_HINT
from luma.services import covers, studio
from luma.values import CourseStatus


class SettingsPanel:
    """Below the course's form. `on_change` is told when the course's state has changed."""

    def __init__(self, sheet: studio.Sheet, on_change: Callable[[], Awaitable[None]]) -> None:
        self._sheet = sheet
        self._on_change = on_change
        self._place = html.section(**{"aria-label": "Cover and state"}).classes("settings")
        self._draw()

    def show(self, sheet: studio.Sheet, *, is_open: bool) -> None:
        changed = (sheet.title, sheet.cover, sheet.status) != (
            self._sheet.title,
            self._sheet.cover,
            self._sheet.status,
        )
        self._sheet = sheet
        self._place.set_visibility(is_open)
        if changed:
            self._draw()

    def _draw(self) -> None:
        self._place.clear()
        with self._place:
            self._draw_cover()
            self._draw_state()

    def _draw_cover(self) -> None:
        sheet = self._sheet
        with html.div().classes("settings-part"):
            html.h3("Cover")
            ui.html(theme.cover(sheet.title, sheet.id, sheet.cover), sanitize=False)
            html.p(COVER_HINT).classes("hint")
            upload = ui.upload(
                on_upload=self._put_cover,
                on_rejected=self._refuse,
                auto_upload=True,
                max_files=1,
                max_file_size=covers.MOST_BYTES,
            ).props('accept="image/png,image/jpeg,image/webp"')
            upload.classes("unseen")
            with html.div().classes("row wrap"):
                choose = html.button("Choose a picture", type="button").classes("button outline")
                choose.on(
                    "click", js_handler=f"() => getElement({upload.id}).$refs.qRef.pickFiles()"
                )
                if sheet.cover:
                    press("Remove picture", self._remove_cover, look="quiet")

    def _draw_state(self) -> None:
        is_published = self._sheet.status is CourseStatus.PUBLISHED
        with html.div().classes("settings-part"):
            html.h3("Unpublish" if is_published else "Delete")
            if is_published:
                html.p("The course leaves the catalogue. Students keep what they have.")
                press("Unpublish course", self._unpublish, look="outline")
            else:
                html.p("A course without students can be deleted. You can undo it at once.")
                press("Delete course", self._delete, look="danger")

    async def _put_cover(self, event: events.UploadEventArguments) -> None:
        event.sender.reset()  # type: ignore[attr-defined]  # the box itself
        cover = await offload(covers.drawn, await event.file.read())
        await act(covers.put, self._sheet.id, cover)
        said("The cover is changed.")
        await self._on_change()

    def _refuse(self) -> None:
        ui.notification(COVER_HINT, type="warning", position="bottom-right")

    async def _remove_cover(self) -> None:
        await act(covers.remove, self._sheet.id)
        await self._on_change()

    async def _unpublish(self) -> None:
        if self._sheet.has_students and not await self._is_sure():
            return
        await act(studio.unpublish, self._sheet.id)
        said("The course is off the shelf.")
        await self._on_change()

    async def _is_sure(self) -> bool:
        with ui.dialog() as dialog, html.div().classes("card padded stack ask"):
            html.h3("Unpublish this course?")
            html.p("Nobody can buy it any more. Your students keep it.")
            with html.div().classes("row wrap"):
                keep = html.button("Keep it on sale", type="button", autofocus=True, tabindex=0)
                keep.classes("button").on("click", lambda: dialog.submit(False))
                away = html.button("Unpublish", type="button").classes("button outline")
                away.on("click", lambda: dialog.submit(True))
        sure = await dialog is True
        if not dialog.is_deleted:
            dialog.delete()
        return sure

    async def _delete(self) -> None:
        await act(studio.delete, self._sheet.id)
        ui.navigate.to(f"/studio?deleted={self._sheet.id}")
