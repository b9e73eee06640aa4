"""Pictures of people: drawn anew by us like covers, and square."""

from PIL import Image as Pillow
from PIL import ImageOps
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.course import Image
from luma.models.profile import Profile
from luma.services import covers, profiles
from luma.services.covers import Cover
from luma.services.policies import Actor

SIDE = 480
LEAST_SIDE = 96


def drawn(content: bytes) -> Cover:
    """Tens of milliseconds of CPU: call it off the loop. Raises TooLarge or RuleBroken."""
    return covers.redrawn(content, _square)


def put(session: Session, actor: Actor, picture: Cover) -> None:
    """Give the actor this picture; the one before is gone."""
    profiles.open_for(session, actor.id)
    _replace(session, actor.id, covers.kept(session, actor, picture).id)


def remove(session: Session, actor: Actor) -> None:
    """Back to the initial of the name. Twice changes nothing."""
    _replace(session, actor.id, None)


def _replace(session: Session, user_id: int, image_id: int | None) -> None:
    profile = session.scalar(select(Profile).where(Profile.user_id == user_id).with_for_update())
    if profile is None:
        return
    before, profile.picture_id = profile.picture_id, image_id
    session.flush()
    if before is not None:
        session.execute(delete(Image).where(Image.id == before))


def _square(sent: Pillow.Image) -> Pillow.Image:
    """Upright, and cut to a square around its middle."""
    sent.draft("RGB", (SIDE, SIDE))
    side = min(SIDE, sent.width, sent.height)
    if side < LEAST_SIDE:
        raise RuleBroken(f"This picture is too small. It needs {LEAST_SIDE} pixels each way.")
    return ImageOps.fit(covers.upright_on_paper(sent), (side, side))
