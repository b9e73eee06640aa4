"""A course being written: `/studio/{course}`. The outline, the form beside it, publishing."""

import asyncio
from collections.abc import Mapping

from nicegui import APIRouter, html, ui

from luma.errors import NotFound, RuleBroken
from luma.pages import assets
from luma.pages.components.autosave_form import AutosaveForm, FormSaved
from luma.pages.components.course_tree import CourseTree
from luma.pages.components.press import press
from luma.pages.components.summary_panel import PanelSheet
from luma.pages.components.undo import UndoToasts
from luma.pages.feedback import page, said
from luma.pages.layout import frame
from luma.pages.session import act, viewer_of
from luma.pages.studio.checklist import show_checklist
from luma.pages.studio.desk import OutlineDesk, Removed, nodes
from luma.pages.studio.forms import (
    COURSE,
    course_answer,
    course_form,
    label,
    lesson_answer,
    lesson_form,
)
from luma.pages.studio.settings import SettingsPanel
from luma.pages.studio.summary import SummaryDesk
from luma.services import addresses, lessons, outline, studio
from luma.services.outline import RemovedLesson
from luma.settings import settings
from luma.values import CourseStatus

router = APIRouter()

HIDDEN = (
    "An admin has taken this course off sale: {} "
    "Your students keep it. Mend it, then write to whoever runs this school."
)
MATERIAL = {"title", "text", "transcript"}
"""The fields of a lesson that a summary is made of."""


@page(router, "/studio/{course}", "Studio")
async def editor(course: str, lesson: str = "") -> None:
    sheet = await act(studio.sheet, course)
    tree = await act(outline.tree, course)
    viewer = viewer_of(ui.context.client.request)
    open_editor = Editor(sheet, viewer.id if viewer else 0)
    first = await open_editor.lesson_sheet(lesson) if lesson else None
    summary = await open_editor.summary.sheet(first.id) if first else None
    ui.add_head_html(assets.tag("studio.css"))
    with frame(f"{sheet.title} · Studio", wide=True):
        open_editor.draw(tree, first, summary)


class Editor:
    """One open editor: it is told what the outline and the form did, and keeps them in step."""

    def __init__(self, sheet: studio.Sheet, owner: int) -> None:
        self.sheet = sheet
        self.course = sheet.id
        self.owner = owner
        self.open_lesson = ""
        self._one_at_a_time = asyncio.Lock()
        self.summary = SummaryDesk(self.course, self._one_at_a_time)
        self.desk = OutlineDesk(
            self.course,
            on_pick=self.show_lesson,
            on_rename=self._renamed,
            on_remove=self._removed,
        )

    async def lesson_sheet(self, lesson: str) -> lessons.Sheet | None:
        """None for a lesson that is not there any more."""
        try:
            return await act(lessons.sheet, self.course, lesson)
        except NotFound:
            return None

    def draw(
        self,
        tree: tuple[outline.ChapterLine, ...],
        first: lessons.Sheet | None,
        summary: PanelSheet | None,
    ) -> None:
        self.open_lesson = first.id if first else ""
        self.head = html.div().classes("editor-head")
        with html.div().classes("editor"):
            with html.nav(**{"aria-label": "Outline"}).classes("editor-outline"):
                self.settings_button = press("Course settings", self.show_course, look="quiet")
                self.tree = CourseTree(nodes(tree), self.desk, selected=self.open_lesson or None)
            with html.div().classes("editor-sheet"):
                self.form = AutosaveForm(
                    lesson_form(first, self.owner)
                    if first
                    else course_form(self.sheet, self.owner),
                    frame=settings().youtube_frame,
                    on_save=self._save,
                    on_open=self._open,
                )
                self.summary.draw(summary)
                self.undo = UndoToasts()
                self.settings = SettingsPanel(self.sheet, self._course_changed)
        self._draw_head()
        self._mark()

    # What is shown

    async def show_lesson(self, lesson: str) -> None:
        sheet = await act(lessons.sheet, self.course, lesson)
        self.open_lesson = lesson
        self.form.show(lesson_form(sheet, self.owner))
        self._mark()
        await self.summary.show(lesson)

    async def show_course(self) -> None:
        await self._read_course()
        self.open_lesson = ""
        self.form.show(course_form(self.sheet, self.owner))
        self._mark()
        await self.summary.show("")

    async def _open(self, subject: str) -> None:
        await (self.show_course() if subject == COURSE else self.show_lesson(subject))

    def _mark(self) -> None:
        """Say in the outline and in the address what is open."""
        where = f"?lesson={self.open_lesson}" if self.open_lesson else ""
        ui.navigate.history.replace(f"/studio/{self.course}{where}")
        self.tree.select(self.open_lesson or None)
        self.settings.show(self.sheet, is_open=not self.open_lesson)
        if self.open_lesson:
            self.settings_button.props.pop("aria-current", None)
        else:
            self.settings_button.props["aria-current"] = "page"

    def _draw_head(self) -> None:
        is_published = self.sheet.status is CourseStatus.PUBLISHED
        self.head.clear()
        with self.head:
            html.a("Studio", href="/studio").classes("editor-back")
            html.h1(self.sheet.title)
            html.span(self._state()[0]).classes(self._state()[1])
            with html.div().classes("row wrap push"):
                html.a("Feedback", href=f"/studio/{self.course}/feedback").classes("button quiet")
                html.a("Insights", href=f"/studio/{self.course}/insights").classes("button quiet")
                html.a("Summaries", href=f"/studio/{self.course}/summaries").classes("button quiet")
                if is_published:
                    html.a("View course page", href=f"/courses/{self.sheet.slug}").classes(
                        "button outline"
                    )
                elif not self.sheet.hidden_reason:
                    press("Publish course", self._publish)
            if self.sheet.hidden_reason:
                with html.p().classes("banner negative editor-hidden"):
                    html.span(HIDDEN.format(self.sheet.hidden_reason))

    def _state(self) -> tuple[str, str]:
        """In a word, and how that is marked."""
        if self.sheet.hidden_reason:
            return "Hidden", "mark negative"
        if self.sheet.status is CourseStatus.PUBLISHED:
            return "Published", "mark positive"
        return "Draft", "mark"

    # What was done

    async def _save(self, subject: str, revision: int, values: Mapping[str, object]) -> FormSaved:
        async with self._one_at_a_time:
            if subject == COURSE:
                saved = await act(studio.update, self.course, revision, values)
                self._course_saved(saved)
                return course_answer(saved)
            written = await act(lessons.update, self.course, subject, revision, values)
        if isinstance(written, lessons.Saved):
            self._patch(written.sheet)
            if MATERIAL & values.keys():
                await self.summary.refresh(subject)
        return lesson_answer(written)

    def _course_saved(self, saved: studio.Saved | studio.Clash) -> None:
        sheet = saved.sheet if isinstance(saved, studio.Saved) else saved.theirs
        is_renamed = (sheet.title, sheet.slug) != (self.sheet.title, self.sheet.slug)
        self.sheet = sheet
        if is_renamed:
            self._draw_head()
            self.settings.show(sheet, is_open=not self.open_lesson)

    def _patch(self, sheet: lessons.Sheet) -> None:
        self.tree.patch(
            sheet.id,
            title=sheet.title,
            status=sheet.status.value,
            duration=sheet.duration,
            preview=sheet.is_preview,
        )

    async def _renamed(self, lesson: str) -> None:
        sheet = await act(lessons.sheet, self.course, lesson)
        self.form.refresh(lesson_form(sheet, self.owner))

    async def _removed(self, removed: Removed) -> None:
        was_open = self.open_lesson
        if was_open and await self.lesson_sheet(was_open) is None:
            await self.show_course()

        async def bring_back() -> None:
            await self.desk.restore(removed)
            self.tree.reset(await self.desk.nodes())
            if isinstance(removed, RemovedLesson) and removed.id == was_open:
                await self.show_lesson(was_open)

        self.undo.offer(f"“{removed.title}” is removed.", bring_back)

    async def _publish(self) -> None:
        """What is on the screen goes on sale, or nothing does."""
        if (left := await self.form.unsaved()) is not None:
            await self._open(left.subject)
            self.form.jump(left.field)
            name = label(left.subject, left.field)
            raise RuleBroken(f"“{name}” is not saved as it stands. Mend it, then publish.")
        async with self._one_at_a_time:
            checks = await act(studio.checklist, self.course)
            if not all(check.is_done for check in checks):
                show_checklist(checks, self._mend)
                return
            await act(studio.publish, self.course)
        said("Your course is on sale." if not self.sheet.price.is_zero else "Your course is open.")
        await self._course_changed()

    async def _mend(self, field: str) -> None:
        if field == "address":
            await act(addresses.ask_to_verify)
            said("A link is on its way to your e-mail address. Use it, then publish.")
            return
        if field != "lesson":
            await self.show_course()
            self.form.jump(field)
            return
        tree = await act(outline.tree, self.course)
        lesson = next((line.id for chapter in tree for line in chapter.lessons), None)
        if lesson is None:
            said("Add a lesson in the outline first.")
            return
        await self.show_lesson(lesson)
        self.form.jump("status")

    async def _course_changed(self) -> None:
        await self._read_course()
        self._draw_head()
        self.settings.show(self.sheet, is_open=not self.open_lesson)

    async def _read_course(self) -> None:
        self.sheet = await act(studio.sheet, self.course)
