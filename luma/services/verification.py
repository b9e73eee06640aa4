"""Whether an e-mail address is theirs: asked of those who sell, never of those who learn."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.account_token import TokenPurpose
from luma.models.user import User
from luma.services import letters, tokens

GOOD_FOR = timedelta(hours=24)
BEFORE_SELLING = "Confirm your e-mail address before you sell: your account page sends the link."


def write(session: Session, user_id: int, email: str) -> None:
    """Send the link that confirms the address."""
    link = tokens.issue(session, user_id, TokenPurpose.VERIFY, email, GOOD_FOR)
    letters.write(
        session,
        user_id,
        "verify",
        subject="Confirm your e-mail address",
        text="Somebody, we hope you, has an account at LUMA with this address. Confirm that the "
        "address is yours, and you can sell courses and get your account back if you ever "
        "forget your password.\n\nThe link works once, for 24 hours. If the account is not "
        "yours, do nothing.",
        button=("Confirm this address", f"/verify/{tokens.PLACE}"),
        single_use=link,
    )


def is_verified(session: Session, user_id: int) -> bool:
    return session.scalar(select(User.email_verified_at).where(User.id == user_id)) is not None
