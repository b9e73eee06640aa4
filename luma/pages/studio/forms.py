"""What the studio's forms show: the fields of a lesson and of a course."""

from collections.abc import Mapping
from typing import Literal

from luma import currencies
from luma.pages import words
from luma.pages.components.autosave_form import FieldSpec, FormSaved, FormSheet, Option, Values
from luma.services import covers, lessons, outline, studio
from luma.values import LessonStatus, Subject

COURSE = "course"
"""The subject of the course's own form; a lesson's is its id."""

FIRST_CURRENCIES = ("usd", "eur", "gbp")

LESSON_FIELDS: list[FieldSpec] = [
    {
        "name": "title",
        "kind": "line",
        "label": "Title",
        "longest": outline.LONGEST_TITLE,
    },
    {
        "name": "video",
        "kind": "line",
        "label": "YouTube address",
        "inputmode": "url",
        "placeholder": "https://youtu.be/…",
        "hint": "Any form of it. Unlisted videos work too, but whoever has the link can share it.",
    },
    {
        "name": "duration",
        "kind": "line",
        "label": "Length",
        "placeholder": "4:05",
        "width": "half",
        "hint": "Minutes and seconds. Playing the preview fills it in.",
    },
    {
        "name": "text",
        "kind": "text",
        "label": "Text",
        "rows": 12,
        "hint": "Markdown: **bold**, *italic*, - lists, [links](https://…), ``` code.",
    },
    {
        "name": "transcript",
        "kind": "text",
        "label": "Transcript",
        "rows": 3,
        "hint": "What is said in the video: SRT, VTT or plain text. For the summary only; "
        "students do not see it.",
    },
    {
        "name": "status",
        "kind": "switch",
        "label": "Live",
        "on": LessonStatus.LIVE.value,
        "off": LessonStatus.DRAFT.value,
        "hint": "Students see live lessons. A draft is yours alone.",
    },
    {
        "name": "is_preview",
        "kind": "switch",
        "label": "Free preview",
        "on": True,
        "off": False,
        "hint": "Anyone can watch it on the course page, without an account.",
    },
]

COURSE_FIELDS: list[FieldSpec] = [
    {
        "name": "title",
        "kind": "line",
        "label": "Title",
        "longest": studio.LONGEST_TITLE,
    },
    {
        "name": "summary",
        "kind": "line",
        "label": "Short description",
        "longest": studio.LONGEST_SUMMARY,
        "hint": "One sentence for the catalogue and for search engines.",
    },
    {
        "name": "description",
        "kind": "text",
        "label": "Description",
        "rows": 12,
        "longest": studio.LONGEST_DESCRIPTION,
        "hint": "What students will learn, for whom it is, what they need. Markdown.",
    },
    {
        "name": "price",
        "kind": "line",
        "label": "Price",
        "inputmode": "decimal",
        "width": "half",
        "group": "money",
        "hint": "0 makes the course free. Who bought it keeps it when the price changes.",
    },
    {
        "name": "currency",
        "kind": "choice",
        "label": "Currency",
        "width": "half",
        "group": "money",
    },
    {
        "name": "subject",
        "kind": "choice",
        "label": "Subject",
        "width": "half",
        "options": [Option(value=subject.value, label=subject.words) for subject in Subject],
    },
]


def label(subject: str, field: str) -> str:
    """What a field is called in the form of this subject."""
    fields = COURSE_FIELDS if subject == COURSE else LESSON_FIELDS
    return next((one["label"] for one in fields if one["name"] == field), "A field")


def lesson_form(sheet: lessons.Sheet, owner: int) -> FormSheet:
    return FormSheet(
        subject=sheet.id,
        key=f"{owner}/{sheet.id}",
        heading="Lesson",
        fields=LESSON_FIELDS,
        values=_lesson_values(sheet),
        extras=_lesson_extras(sheet),
        revision=sheet.revision,
        saved=sheet.updated_at.isoformat(),
    )


def lesson_answer(answer: lessons.Saved | lessons.Clash) -> FormSaved:
    if isinstance(answer, lessons.Clash):
        return _answer("clash", lesson_form(answer.theirs, 0), {})
    return _answer("saved", lesson_form(answer.sheet, 0), answer.refused)


def course_form(sheet: studio.Sheet, owner: int) -> FormSheet:
    return FormSheet(
        subject=COURSE,
        key=f"{owner}/{sheet.id}",
        heading="Course settings",
        fields=[_with_currencies(field, sheet.price.currency) for field in COURSE_FIELDS],
        values=_course_values(sheet),
        extras={"html": sheet.description_html},
        revision=sheet.revision,
        saved=sheet.updated_at.isoformat(),
    )


def course_answer(answer: studio.Saved | studio.Clash) -> FormSaved:
    if isinstance(answer, studio.Clash):
        return _answer("clash", course_form(answer.theirs, 0), {})
    return _answer("saved", course_form(answer.sheet, 0), answer.refused)


def _answer(
    kind: Literal["saved", "clash"], form: FormSheet, refused: Mapping[str, str]
) -> FormSaved:
    return FormSaved(
        kind=kind,
        revision=form["revision"],
        values=form["values"],
        extras=form["extras"],
        refused=refused,
    )


def _lesson_values(sheet: lessons.Sheet) -> Values:
    return {
        "title": sheet.title,
        "video": sheet.video,
        "duration": words.clock(sheet.duration) if sheet.duration else "",
        "text": sheet.text,
        "transcript": sheet.transcript,
        "status": sheet.status.value,
        "is_preview": sheet.is_preview,
    }


def _lesson_extras(sheet: lessons.Sheet) -> dict[str, str | int | None]:
    return {"html": sheet.text_html, "video": sheet.video_id, "start": sheet.video_start}


def _course_values(sheet: studio.Sheet) -> Values:
    return {
        "title": sheet.title,
        "summary": sheet.summary,
        "description": sheet.description,
        "price": sheet.price.decimal(),
        "currency": sheet.price.currency,
        "subject": sheet.subject.value,
    }


def _with_currencies(field: FieldSpec, current: str) -> FieldSpec:
    """The usual ones first, then all by their letters."""
    if field["name"] != "currency":
        return field
    first = dict.fromkeys((current, *FIRST_CURRENCIES))
    codes = [*first, *sorted(currencies.CODES - first.keys())]
    return {**field, "options": [Option(value=code, label=code.upper()) for code in codes]}


COVER_HINT = (
    f"PNG, JPEG or WebP, at most {covers.MOST_BYTES // 1_000_000} MB, at least 320 pixels wide."
)
