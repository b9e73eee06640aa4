"""A form that saves itself, as one browser element: see autosave_form.js and form_parts/doc.js."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NotRequired, Self, TypedDict

from nicegui import ui
from nicegui.events import GenericEventArguments

from luma.errors import NotFound, RuleBroken, ServiceDown, SignInNeeded

Values = Mapping[str, str | bool]

SETTLES_WITHIN = 4
"""Seconds that the form waits for answers to what it has sent; autosave_form.js says the same."""


class Option(TypedDict):
    value: str
    label: str


class FieldSpec(TypedDict):
    """How one field looks. A switch has the two values that it stands for.

    Changed fields of one `group` are always sent together.
    """

    name: str
    kind: Literal["line", "text", "choice", "switch"]
    label: str
    hint: NotRequired[str]
    longest: NotRequired[int]
    rows: NotRequired[int]
    width: NotRequired[Literal["half"]]
    group: NotRequired[str]
    inputmode: NotRequired[str]
    placeholder: NotRequired[str]
    options: NotRequired[list[Option]]
    on: NotRequired[str | bool]
    off: NotRequired[str | bool]


class FormSheet(TypedDict):
    """What is shown. `key` names the draft in the browser; `extras` feed the preview."""

    subject: str
    key: str
    heading: str
    fields: list[FieldSpec]
    values: Values
    extras: Mapping[str, str | int | None]
    revision: int
    saved: str


class FormSaved(TypedDict):
    kind: Literal["saved", "clash"]
    revision: int
    values: Values
    extras: Mapping[str, str | int | None]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A field that holds something else than what the server has."""

    subject: str
    field: str

    @classmethod
    def read(cls, said: object) -> Self | None:
        match said:
            case None:
                return None
            case {"subject": str(subject), "field": str(field)}:
                return cls(subject, field)
        raise RuleBroken("The form could not be read. Load the page again.")


Save = Callable[[str, int, Mapping[str, object]], Awaitable[FormSaved]]


class AutosaveForm(ui.element, component="autosave_form.js", esm={"luma-form": "form_parts"}):
    """`on_save(subject, revision, values)` writes; `on_open(subject)` shows another subject."""

    def __init__(
        self,
        sheet: FormSheet,
        *,
        frame: str,
        on_save: Save,
        on_open: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._props |= {"sheet": sheet, "frame": frame}
        self._on_save = on_save
        self._on_open = on_open
        self._failing: set[str] = set()
        self.on("form-save", self._save)
        self.on("form-open", self._open)

    def show(self, sheet: FormSheet) -> None:
        """Show another lesson or course. The one before goes on saving."""
        self.run_method("open", sheet)

    def refresh(self, sheet: FormSheet) -> None:
        """Say what was changed elsewhere on this page. What is being typed stays."""
        self.run_method("refresh", sheet["subject"], sheet)

    def jump(self, field: str) -> None:
        self.run_method("jump", field)

    async def unsaved(self) -> Unsaved | None:
        """The first field that could not be saved, once all that is on its way has arrived."""
        try:
            return Unsaved.read(await self.run_method("unsaved", timeout=SETTLES_WITHIN + 2))
        except TimeoutError as error:
            raise RuleBroken("The form could not be read. Load the page again.") from error

    async def _save(self, event: GenericEventArguments) -> None:
        wish = SaveWish.read(event.args)
        answer: Mapping[str, object]
        try:
            answer = await self._on_save(wish.subject, wish.revision, wish.values)
        except NotFound as gone:
            answer = {"kind": "gone", "words": f"Not saved: {gone}"}
        except Exception as error:
            self._answer(wish, {"kind": "failed"})
            if self._is_news(wish.subject, error):
                raise
            return
        self._failing.discard(wish.subject)
        self._answer(wish, answer)

    def _answer(self, wish: "SaveWish", answer: Mapping[str, object]) -> None:
        self.run_method("answer", wish.subject, {**answer, "attempt": wish.attempt})

    def _is_news(self, subject: str, error: Exception) -> bool:
        """The form tries again by itself and says so; a fault is told and logged once."""
        is_known = subject in self._failing
        self._failing.add(subject)
        return isinstance(error, SignInNeeded) or not (is_known or isinstance(error, ServiceDown))

    async def _open(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str):
            await self._on_open(event.args)


@dataclass(frozen=True, slots=True)
class SaveWish:
    """What a browser wants written: the values may still be anything."""

    subject: str
    revision: int
    values: Mapping[str, object]
    attempt: int

    @classmethod
    def read(cls, said: object) -> Self:
        match said:
            case {
                "subject": str(subject),
                "revision": int(revision),
                "values": dict(values),
                "attempt": int(attempt),
            } if not isinstance(revision, bool):
                return cls(subject, revision, values, attempt)
        raise RuleBroken("The form could not be read. Load the page again.")
