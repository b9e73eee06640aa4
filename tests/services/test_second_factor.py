"""Codes of an app, recovery codes, and signing in with either."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, ProveAgain, RuleBroken, SignInNeeded, TooMany
from luma.models.letter import Letter
from luma.models.second_factor import HalfSignIn, RecoveryCode, SecondFactor
from luma.models.user import User
from luma.services import accounts, clock, half_way, proofs, second_factor
from luma.services.accounts import Visit
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import Money, Role
from tests.bad_values import BAD_TEXT
from tests.factories import make_course, make_user

HERE = Visit("203.0.113.7", "Firefox")


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Its last entry is the time."""
    times = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: times[-1])
    return times


def later(times: list[datetime], **span: float) -> None:
    times.append(times[-1] + timedelta(**span))


def signed_in(session: Session, user: User) -> Actor:
    viewer = accounts.viewer(
        session, accounts.key_of(accounts.open_session(session, user.id, HERE))
    )
    assert viewer is not None
    return viewer


def shown(secret: str) -> str:
    """What the app shows now."""
    return pyotp.TOTP(secret).at(clock.now())


def turned_on(session: Session, actor: Actor) -> tuple[str, list[str]]:
    """The app's secret and the recovery codes."""
    draft = second_factor.begin(session, actor)
    codes, _ = second_factor.confirm(session, actor, shown(draft.secret))
    return draft.secret, codes


def test_it_is_on_once_a_code_was_typed(session: Session) -> None:
    actor = signed_in(session, make_user(session))
    draft = second_factor.begin(session, actor)
    assert not second_factor.is_on(session, actor.id)

    codes, _ = second_factor.confirm(session, actor, shown(draft.secret))

    assert second_factor.state(session, actor).is_on
    assert len(set(codes)) == second_factor.state(session, actor).codes_left == 10


def test_a_wrong_code_turns_nothing_on(session: Session) -> None:
    actor = signed_in(session, make_user(session))
    draft = second_factor.begin(session, actor)

    for typed in (*BAD_TEXT, "000000", shown(pyotp.random_base32())):
        if typed != shown(draft.secret):
            with pytest.raises(NotAllowed):
                second_factor.confirm(session, actor, typed)

    assert not second_factor.is_on(session, actor.id)
    assert second_factor.begun(session, actor) == draft


def test_the_secret_is_drawn_anew_each_time_and_never_shown_once_it_is_on(session: Session) -> None:
    actor = signed_in(session, make_user(session))
    first, second = second_factor.begin(session, actor), second_factor.begin(session, actor)
    assert first.secret != second.secret

    second_factor.confirm(session, actor, shown(second.secret))

    for show in (second_factor.begin, second_factor.begun):
        with pytest.raises(RuleBroken, match="on already"):
            show(session, actor)


def test_neither_the_secret_nor_a_recovery_code_lies_open_in_the_database(session: Session) -> None:
    secret, codes = turned_on(session, signed_in(session, make_user(session)))

    sealed = session.scalars(select(SecondFactor.sealed)).one()
    hashes = session.scalars(select(RecoveryCode.code_hash)).all()

    assert secret.encode() not in sealed
    assert not {code.replace("-", "").encode() for code in codes} & set(hashes)


def test_turning_it_on_ends_every_session_that_had_no_code(session: Session) -> None:
    user = make_user(session)
    elsewhere = signed_in(session, user)
    here = signed_in(session, user)
    draft = second_factor.begin(session, here)

    _, ended = second_factor.confirm(session, here, shown(draft.secret))

    assert ended == [elsewhere.session_key]
    assert accounts.is_alive(session, here.session_key)


def test_a_password_alone_gets_half_the_way_in(session: Session, times: list[datetime]) -> None:
    user = make_user(session)
    secret, _ = turned_on(session, signed_in(session, user))
    later(times, seconds=30)

    admitted = accounts.admit(session, user.id, HERE)

    assert admitted.is_half
    assert accounts.viewer(session, accounts.key_of(admitted.token)) is None
    token = proofs.admit_with_code(session, admitted.token, shown(secret), HERE)
    assert accounts.viewer(session, accounts.key_of(token)) is not None


def test_half_a_sign_in_is_used_up_by_the_other_half(
    session: Session, times: list[datetime]
) -> None:
    user = make_user(session)
    secret, _ = turned_on(session, signed_in(session, user))
    later(times, seconds=30)
    half = accounts.admit(session, user.id, HERE).token
    proofs.admit_with_code(session, half, shown(secret), HERE)
    later(times, seconds=30)

    with pytest.raises(SignInNeeded):
        proofs.admit_with_code(session, half, shown(secret), HERE)


def test_half_a_sign_in_lasts_ten_minutes(session: Session, times: list[datetime]) -> None:
    user = make_user(session)
    secret, _ = turned_on(session, signed_in(session, user))
    half = accounts.admit(session, user.id, HERE).token
    later(times, minutes=10, seconds=1)

    assert not half_way.is_waiting(session, half)
    with pytest.raises(SignInNeeded):
        proofs.admit_with_code(session, half, shown(secret), HERE)

    half_way.forget_old(session)
    assert session.scalar(select(func.count(HalfSignIn.id))) == 0


def test_a_disabled_user_gets_no_further(session: Session) -> None:
    user = make_user(session)
    turned_on(session, signed_in(session, user))
    half = accounts.admit(session, user.id, HERE).token
    user.disabled_at = clock.now()
    session.flush()

    with pytest.raises(SignInNeeded):
        half_way.count_try(session, half)


@pytest.mark.parametrize("token", ["", "x", "\0", "ä" * 50])
def test_half_a_sign_in_is_not_made_up(session: Session, token: str) -> None:
    with pytest.raises(SignInNeeded):
        half_way.count_try(session, token)


def test_a_code_is_taken_once(session: Session, times: list[datetime]) -> None:
    actor = signed_in(session, make_user(session))
    secret, _ = turned_on(session, actor)

    with pytest.raises(NotAllowed):
        second_factor.check(session, actor.id, shown(secret))

    later(times, seconds=30)
    second_factor.check(session, actor.id, shown(secret))
    with pytest.raises(NotAllowed):
        second_factor.check(session, actor.id, shown(secret))


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-60, False), (-30, True), (30, True), (60, False)]
)
def test_a_clock_may_be_half_a_minute_off(
    session: Session, times: list[datetime], seconds: int, is_taken: bool
) -> None:
    actor = signed_in(session, make_user(session))
    secret, _ = turned_on(session, actor)
    later(times, minutes=5)
    code = pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=seconds))

    if is_taken:
        second_factor.check(session, actor.id, f" {code[:3]} {code[3:]} ")
    else:
        with pytest.raises(NotAllowed):
            second_factor.check(session, actor.id, code)


def test_a_recovery_code_opens_one_sign_in(session: Session) -> None:
    user = make_user(session)
    actor = signed_in(session, user)
    _, codes = turned_on(session, actor)
    half = accounts.admit(session, user.id, HERE).token

    proofs.admit_with_code(session, half, codes[3].upper().replace("-", " "), HERE)

    assert second_factor.state(session, actor).codes_left == 9
    with pytest.raises(NotAllowed, match="has been used"):
        second_factor.check(session, user.id, codes[3])


def test_anothers_recovery_code_opens_nothing(session: Session) -> None:
    mine, theirs = (signed_in(session, make_user(session)) for _ in range(2))
    turned_on(session, mine)
    _, codes = turned_on(session, theirs)

    with pytest.raises(NotAllowed):
        second_factor.check(session, mine.id, codes[0])

    assert second_factor.state(session, theirs).codes_left == 10


def test_new_recovery_codes_replace_the_old(session: Session) -> None:
    actor = signed_in(session, make_user(session))
    _, old = turned_on(session, actor)

    new = second_factor.renew_codes(session, actor)

    assert not set(old) & set(new)
    with pytest.raises(NotAllowed):
        second_factor.check(session, actor.id, old[0])
    second_factor.check(session, actor.id, new[0])


def test_the_sixth_try_waits(session: Session) -> None:
    actor = signed_in(session, make_user(session))
    turned_on(session, actor)
    half = accounts.admit(session, actor.id, HERE).token
    for _ in range(5):
        half_way.count_try(session, half)

    with pytest.raises(TooMany):
        half_way.count_try(session, half)
    with pytest.raises(TooMany):
        second_factor.count_try(session, actor)


def test_turning_it_off_asks_for_a_code(session: Session, times: list[datetime]) -> None:
    actor = signed_in(session, make_user(session))
    secret, _ = turned_on(session, actor)
    with pytest.raises(NotAllowed):
        second_factor.turn_off(session, actor, "123456")
    later(times, seconds=30)

    second_factor.turn_off(session, actor, shown(secret))

    assert second_factor.state(session, actor).codes_left == 0
    assert not accounts.admit(session, actor.id, HERE).is_half


def test_every_change_asks_who_one_is(session: Session, times: list[datetime]) -> None:
    actor = signed_in(session, make_user(session))
    later(times, minutes=11)
    changes: list[Callable[[], object]] = [
        lambda: second_factor.begin(session, actor),
        lambda: second_factor.begun(session, actor),
        lambda: second_factor.confirm(session, actor, "123456"),
        lambda: second_factor.renew_codes(session, actor),
        lambda: second_factor.turn_off(session, actor, "123456"),
    ]

    for change in changes:
        with pytest.raises(ProveAgain):
            change()


def test_a_code_shows_again_who_one_is(session: Session, times: list[datetime]) -> None:
    actor = signed_in(session, make_user(session))
    secret, _ = turned_on(session, actor)
    later(times, minutes=11)
    assert proofs.ways(session, actor) == proofs.Ways(password=True, code=True)

    proofs.prove_by_code(session, actor, shown(secret))

    again = accounts.viewer(session, actor.session_key)
    assert again is not None
    assert again.authenticated_at == clock.now()


def test_another_secret_of_the_house_locks_the_app_out_but_not_the_recovery_codes(
    session: Session, times: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = signed_in(session, make_user(session))
    secret, codes = turned_on(session, actor)
    later(times, seconds=30)
    monkeypatch.setenv("LUMA_SECRET", "another")
    settings.cache_clear()

    with pytest.raises(NotAllowed):
        second_factor.check(session, actor.id, shown(secret))
    second_factor.check(session, actor.id, codes[0])


def test_it_is_asked_of_those_on_whom_others_depend(session: Session) -> None:
    student = signed_in(session, make_user(session))
    admin = signed_in(session, make_user(session, roles=(Role.ADMIN,)))
    seller = make_course(session, published=True).instructor
    giver = make_course(session, published=True, price=Money(0, "usd")).instructor
    writer = make_course(session).instructor

    wanted = [
        second_factor.is_wanted(session, actor)
        for actor in (student, admin, *(signed_in(session, u) for u in (seller, giver, writer)))
    ]

    assert wanted == [False, True, True, False, False]
    turned_on(session, admin)
    assert not second_factor.is_wanted(session, admin)


@pytest.mark.usefixtures("fresh_database")
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_many_who_use_one_code_at_once_one_gets_in(kind: str) -> None:
    with db.unit_of_work() as session:
        user_id = make_user(session).id
        user = session.get_one(User, user_id)
        secret, codes = turned_on(session, signed_in(session, user))
        factor = session.scalars(select(SecondFactor)).one()
        factor.last_step = 0
        halves = [accounts.admit(session, user_id, HERE).token for _ in range(8)]
    code = shown(secret) if kind == "app" else codes[0]

    def go_in(half: str) -> bool:
        try:
            with db.unit_of_work() as session:
                proofs.admit_with_code(session, half, code, HERE)
        except LumaError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(go_in, halves))

    assert results.count(True) == 1


def test_every_change_is_told_by_letter(session: Session, times: list[datetime]) -> None:
    actor = signed_in(session, make_user(session))
    secret, _ = turned_on(session, actor)
    codes = second_factor.renew_codes(session, actor)
    second_factor.check(session, actor.id, codes[0])
    later(times, seconds=30)
    second_factor.turn_off(session, actor, shown(secret))

    kinds = session.scalars(
        select(Letter.kind).where(Letter.user_id == actor.id).order_by(Letter.id)
    ).all()

    assert kinds == [
        "second-factor-on",
        "recovery-codes",
        "recovery-code-used",
        "second-factor-off",
    ]
