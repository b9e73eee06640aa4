"""Positions among siblings: they count from 0, and no change leaves a gap or a double.

Whoever calls these holds the course's lock.
"""

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Lesson


def take_out(session: Session, node: Chapter | Lesson) -> int:
    """Close the gap it leaves. Returns where it was; put it elsewhere or delete it at once."""
    was = node.position or 0
    node.position = None
    kind = type(node)
    _slide(session, kind, and_(_beside(node), kind.position > was), -1)
    return was


def insert(session: Session, node: Chapter | Lesson, index: int) -> None:
    """Make room at `index` among its siblings, or after the last one, and put it there."""
    kind = type(node)
    siblings = and_(_beside(node), kind.position.is_not(None))
    with session.no_autoflush:
        count = session.scalar(select(func.count()).where(siblings)) or 0
        place = max(0, min(index, count))
        _slide(session, kind, and_(siblings, kind.position >= place), +1)
    node.position = place
    session.flush()


def _beside(node: Chapter | Lesson) -> ColumnElement[bool]:
    """Its siblings, without itself."""
    if isinstance(node, Chapter):
        return and_(Chapter.course_id == node.course_id, Chapter.id != (node.id or 0))
    return and_(Lesson.chapter_id == node.chapter_id, Lesson.id != (node.id or 0))


def _slide(
    session: Session, kind: type[Chapter | Lesson], those: ColumnElement[bool], step: int
) -> None:
    """Without a flush: what is being moved has no position meanwhile, which no row may have."""
    with session.no_autoflush:
        session.execute(update(kind).where(those).values(position=kind.position + step))
