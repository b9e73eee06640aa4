"""What can mean nothing any more goes: old attempts, links, sessions, events of the sandbox."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from luma.models.user import SignedIn
from luma.services import accounts, attempts, clock, half_way, leaving, tokens
from luma.services.gateways import sandbox_post


def forget_old(session: Session) -> None:
    attempts.forget_old(session)
    half_way.forget_old(session)
    tokens.forget_old(session)
    leaving.forget_letters(session)
    sandbox_post.forget_old(session)
    ended = SignedIn.expires_at < clock.now() - accounts.ABSOLUTE
    session.execute(delete(SignedIn).where(ended))
