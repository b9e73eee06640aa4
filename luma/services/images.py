"""Pictures as they are kept: read for browsers."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Image
from luma.services import texts


@dataclass(frozen=True, slots=True)
class Picture:
    content_type: str
    content: bytes


def picture(session: Session, public_id: str) -> Picture:
    """Anyone may see a picture whose unguessable id they know. Raises NotFound."""
    row = session.execute(
        select(Image.content_type, Image.content).where(Image.public_id == texts.key(public_id))
    ).first()
    if row is None:
        raise NotFound("There is no such picture.")
    return Picture(row.content_type, row.content)
