"""What people hear about their account without having asked: in time to do something."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.user import SignedIn, User
from luma.services import clock, devices, letters

REMEMBERED = 50
"""Sign-ins that are compared with a new one."""

FORGOTTEN_AFTER = timedelta(days=60)
"""By then housekeeping has dropped every session, so that all would be new."""

TWO_STEPS = ("See two-step sign-in", "/account/second-factor")
CHANGE_IT = ("Change your password", "/account/password")


def new_sign_in(session: Session, user_id: int, address: str, user_agent: str) -> None:
    """Tell of a browser or a place not seen before. To be called before the session is kept.

    The first sign-in of a new account is nobody's surprise.
    """
    known = session.execute(
        select(SignedIn.user_agent, SignedIn.address)
        .where(SignedIn.user_id == user_id)
        .order_by(SignedIn.id.desc())
        .limit(REMEMBERED)
    ).all()
    device, place = devices.words(user_agent), devices.neighbourhood(address)
    is_known = device in {devices.words(row.user_agent) for row in known} and place in {
        devices.neighbourhood(row.address) for row in known
    }
    if is_known or (not known and _is_young(session, user_id)):
        return
    now = clock.now()
    letters.write(
        session,
        user_id,
        "new-sign-in",
        subject="A new sign-in to your account",
        text=f"Somebody signed in to your account:\n\n> {device}\n> Address {address}\n"
        f"> {now.day} {now:%B %Y, %H:%M} UTC\n\nIf it was you, there is nothing to do. If not, "
        "change your password now: that signs everybody else out.",
        button=CHANGE_IT,
    )


def password_changed(session: Session, user_id: int) -> None:
    letters.write(
        session,
        user_id,
        "password-changed",
        subject="Your password is changed",
        text="The password of your account at LUMA was changed, and every other browser is signed "
        "out.\n\nIf it was not you, choose a new one now: somebody may be reading your mail or "
        "know your old password.",
        button=("Choose a new password", "/forgot"),
    )


def second_factor_on(session: Session, user_id: int) -> None:
    letters.write(
        session,
        user_id,
        "second-factor-on",
        subject="Two-step sign-in is on",
        text="From now on your account at LUMA asks for a code of your app after the password. "
        "Keep the recovery codes where you find them without your phone.\n\nIf it was not you, "
        "somebody else is in your account: write to the school at once.",
        button=TWO_STEPS,
    )


def second_factor_off(session: Session, user_id: int) -> None:
    letters.write(
        session,
        user_id,
        "second-factor-off",
        subject="Two-step sign-in is off",
        text="Your account at LUMA does not ask for a code any more: the password alone opens it."
        "\n\nIf it was not you, change your password now and turn it on again.",
        button=CHANGE_IT,
    )


def recovery_codes_renewed(session: Session, user_id: int) -> None:
    letters.write(
        session,
        user_id,
        "recovery-codes",
        subject="You have new recovery codes",
        text="New recovery codes were made for your account at LUMA. The ones from before do not "
        "work any more.\n\nIf it was not you, change your password now.",
        button=CHANGE_IT,
    )


def recovery_code_used(session: Session, user_id: int, left: int) -> None:
    letters.write(
        session,
        user_id,
        "recovery-code-used",
        subject="A recovery code was used",
        text="Somebody used one of your recovery codes in place of a code of your app. "
        f"{left} of them are left.\n\nIf it was not you, change your password now and make new "
        "codes.",
        button=TWO_STEPS,
    )


def _is_young(session: Session, user_id: int) -> bool:
    created = session.scalars(select(User.created_at).where(User.id == user_id)).one()
    return clock.now() - created < FORGOTTEN_AFTER
