"""What the summary panel of an open editor asks for, and the AI's words on their way to it."""

import asyncio
import time
from contextlib import aclosing

from luma.errors import LumaError, NotFound, SignInNeeded
from luma.pages.components.summary_panel import PanelSheet, SummaryPanel, SummaryWish
from luma.pages.session import act
from luma.services.assistant import asking, budget, summaries
from luma.services.assistant.summaries import Begun, Changed, Panel

EVERY = 0.08
"""Seconds between pieces: as smooth as reading, and a tenth of the messages."""

NO_AI = (
    "No AI is set up at this school, so “Write with AI” does nothing. "
    "The lesson's own sentences cost nothing and need none."
)
NO_MATERIAL = "There is too little in this lesson to summarise. Add text or a transcript first."


class SummaryDesk:
    """One open editor's. The AI may go on writing one lesson while another is shown."""

    def __init__(self, course: str, saving: asyncio.Lock) -> None:
        self._course = course
        self._saving = saving
        self._writing: dict[str, str] = {}
        self._stopped: set[str] = set()
        self._shown = ""

    def draw(self, sheet: PanelSheet | None) -> None:
        self._shown = sheet["lesson"] if sheet else ""
        self.panel = SummaryPanel(sheet, on_wish=self._do)

    async def sheet(self, lesson: str) -> PanelSheet:
        panel = await act(summaries.panel, self._course, lesson)
        return _sheet(panel, self._course, self._writing.get(lesson))

    async def show(self, lesson: str) -> None:
        """The lesson that is open, or none."""
        self._shown = lesson
        self.panel.show(await self.sheet(lesson) if lesson else None)

    async def refresh(self, lesson: str) -> None:
        """The lesson was saved: it may say more now, or something else."""
        if lesson == self._shown:
            await self.show(lesson)

    async def _do(self, wish: SummaryWish) -> None:
        if wish.act == "stop":
            self._stopped.add(wish.lesson)
            return
        try:
            await self._change(wish)
        except Changed:
            self.panel.clash(await self.sheet(wish.lesson))
            return
        except (NotFound, SignInNeeded):
            raise
        except LumaError as refusal:
            self.panel.fail(wish.lesson, str(refusal))
            return
        except Exception:
            self.panel.fail(wish.lesson, "")
            raise
        await self.refresh(wish.lesson)

    async def _change(self, wish: SummaryWish) -> None:
        at = (self._course, wish.lesson)
        if wish.act == "write":
            await self._write(wish.lesson)
        elif wish.act == "extract":
            async with self._saving:
                await act(summaries.extract, *at)
        elif wish.act == "edit":
            await act(summaries.edit, *at, wish.revision, wish.text)
        elif wish.act == "approve":
            await act(summaries.approve, *at, wish.revision, wish.text)
        elif wish.act == "discard":
            await act(summaries.discard, *at, wish.revision)
        else:
            await act(summaries.withdraw, *at)

    async def _write(self, lesson: str) -> None:
        """Once per lesson at a time. A failure leaves the draft as it was."""
        if lesson in self._writing:
            return
        self._writing[lesson] = ""
        self._stopped.discard(lesson)
        try:
            async with self._saving:
                begun = await act(summaries.begin, self._course, lesson)
            await self.refresh(lesson)
            text = await self._told(lesson, begun)
        finally:
            del self._writing[lesson]
        if text is not None:
            await act(summaries.keep, self._course, lesson, begun, text)

    async def _told(self, lesson: str, begun: Begun) -> str | None:
        """None when somebody pressed Stop: what was said until then is dropped."""
        sent, said_at = 0, time.monotonic()
        async with aclosing(asking.words(begun.call)) as pieces:
            async for piece in pieces:
                if lesson in self._stopped:
                    return None
                self._writing[lesson] += piece
                if time.monotonic() - said_at > EVERY:
                    self.panel.write(lesson, self._writing[lesson][sent:])
                    sent, said_at = len(self._writing[lesson]), time.monotonic()
        return self._writing[lesson]


def _sheet(panel: Panel, course: str, writing: str | None) -> PanelSheet:
    cost = panel.cost_micros
    return PanelSheet(
        lesson=panel.lesson,
        text=panel.text,
        is_draft=panel.is_draft,
        is_approved=panel.is_approved,
        is_stale=panel.is_stale,
        source=panel.source.value,
        revision=panel.revision,
        ai=panel.budget.is_on and panel.has_material,
        price=price(panel),
        cost="" if cost is None else f"It cost {budget.in_cents(cost)}.",
        writing=writing,
        todos=list(panel.todos),
        insights=f"/studio/{course}/insights",
    )


def price(panel: Panel) -> str:
    """What the AI would cost here, before anybody presses."""
    if not panel.has_material:
        return NO_MATERIAL
    if not panel.budget.is_on:
        return NO_AI
    return f"Writing costs at most {budget.in_cents(panel.most_micros)}. {used(panel.budget)}"


def used(standing: budget.Standing) -> str:
    spent, cap = budget.in_cents(standing.spent_micros), budget.in_cents(standing.cap_micros)
    return f"This month {spent} of {cap} are used."
