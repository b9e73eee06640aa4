"""What the students of a course say, at a glance: figures, themes with their quotes, to-dos."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.insight import Analysis, Todo
from luma.services import ratings
from luma.services.assistant import analysis, budget, todos, voices
from luma.services.assistant.todos import TodoLine
from luma.services.assistant.voices import Figure, Heard, Voice
from luma.services.authors import own_course
from luma.services.policies import Actor

MOST_QUOTES = 100
STRONG, CLEAR = 30, 10
"""Percent of all texts from which a theme is strong, or clear."""


@dataclass(frozen=True, slots=True)
class ThemeView:
    kind: str
    title: str
    claim: str
    quotes: tuple[Voice, ...]
    lessons: tuple[str, ...]
    """Titles, of the lessons that the quotes are about."""
    strength: str
    percent: int


@dataclass(frozen=True, slots=True)
class SuggestionView:
    number: int
    text: str
    lesson_title: str
    quotes: tuple[Voice, ...]
    is_todo: bool


@dataclass(frozen=True, slots=True)
class AnalysisView:
    id: str
    themes: tuple[ThemeView, ...]
    suggestions: tuple[SuggestionView, ...]
    read: int
    there: int
    since: int
    """Texts that have come in since."""
    cost_micros: int | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Insights:
    course: str
    title: str
    reviews: int
    average: str
    figures: tuple[Figure, ...]
    voices: tuple[Voice, ...]
    """The sorted list: fewest stars first, then by lesson."""
    texts: int
    analysis: AnalysisView | None
    todos: tuple[TodoLine, ...]
    most_micros: int
    budget: budget.Standing

    @property
    def open_todos(self) -> int:
        return sum(not todo.is_done for todo in self.todos)

    @property
    def can_be_analysed(self) -> bool:
        return self.texts >= analysis.FEWEST_TEXTS


def insights(session: Session, actor: Actor, course: str) -> Insights:
    own = own_course(session, actor, course)
    heard = voices.heard(session, own)
    rating = ratings.of(own.rating_sum, own.rating_count)
    standing = budget.standing(session, actor)
    return Insights(
        course=own.public_id,
        title=own.title,
        reviews=own.rating_count,
        average=rating.average,
        figures=heard.figures,
        voices=tuple(sorted(heard.voices, key=_place)[:MOST_QUOTES]),
        texts=len(heard.voices),
        analysis=_latest(session, own, heard),
        todos=todos.of_course(session, own),
        most_micros=analysis.estimate(session, own) if standing.is_on else 0,
        budget=standing,
    )


def _place(voice: Voice) -> tuple[int, str, str]:
    return (voice.stars or 6, voice.lesson_title, voice.id)


def _latest(session: Session, course: Course, heard: Heard) -> AnalysisView | None:
    found = session.scalar(
        select(Analysis)
        .where(Analysis.course_id == course.id)
        .order_by(Analysis.id.desc())
        .limit(1)
    )
    if found is None:
        return None
    there = {voice.id: voice for voice in heard.voices}
    themes = (_theme(theme, there) for theme in found.themes)
    made = set(session.scalars(select(Todo.origin).where(Todo.course_id == course.id)))
    suggestions = (
        SuggestionView(
            number=number,
            text=wish["text"],
            lesson_title=heard.lessons.get(wish["lesson"] or "", ""),
            quotes=_quotes(wish["answers"], there),
            is_todo=f"{found.public_id}:{number}" in made,
        )
        for number, wish in enumerate(found.suggestions)
    )
    return AnalysisView(
        id=found.public_id,
        themes=tuple(
            sorted((one for one in themes if one.quotes), key=lambda one: -len(one.quotes))
        ),
        suggestions=tuple(one for one in suggestions if one.quotes),
        read=found.texts_read,
        there=found.texts_there,
        since=max(0, len(there) - found.texts_there),
        cost_micros=budget.cost_of(session, found.call_id),
        made_at=found.created_at,
    )


def _theme(theme: Mapping[str, Any], there: Mapping[str, Voice]) -> ThemeView:
    """How many and how strong is counted here; the AI is not asked."""
    quotes = _quotes(theme["answers"], there)
    percent = 100 * len(quotes) // (len(there) or 1)
    strength = "Strong" if percent >= STRONG else "Clear" if percent >= CLEAR else "Faint"
    lessons = dict.fromkeys(voice.lesson_title for voice in quotes if voice.lesson)
    return ThemeView(
        kind=theme["kind"],
        title=theme["title"],
        claim=theme["claim"],
        quotes=quotes,
        lessons=tuple(lessons),
        strength=strength,
        percent=percent,
    )


def _quotes(ids: list[str], there: Mapping[str, Voice]) -> tuple[Voice, ...]:
    """What was taken back or hidden since is no quote any more."""
    return tuple(there[id_] for id_ in ids if id_ in there)
