"""Sign up, sign in, and what a session is worth."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, ProveAgain, RuleBroken, SignInNeeded, TooMany
from luma.models.user import SignedIn, User
from luma.services import accounts, clock, policies, proofs
from luma.services.accounts import Visit
from luma.services.policies import Actor
from luma.values import Role
from tests.factories import PASSWORD, actor, make_user, password_hash

HERE = Visit("203.0.113.7", "Firefox")


def new_account(
    session: Session, email: str = "anna@example.org", role: Role = Role.STUDENT
) -> str:
    return accounts.sign_up(session, "Anna", email, password_hash(), role, HERE)


def who(_session: Session, actor: Actor) -> str:
    return actor.name


def test_signing_up_signs_in(session: Session) -> None:
    token = new_account(session)

    assert accounts.as_user(session, accounts.key_of(token), who) == "Anna"


def test_an_instructor_may_learn_as_well(session: Session) -> None:
    token = new_account(session, role=Role.INSTRUCTOR)

    viewer = accounts.viewer(session, accounts.key_of(token))

    assert viewer is not None
    assert viewer.roles == {Role.STUDENT, Role.INSTRUCTOR}


def test_nobody_signs_up_as_an_admin(session: Session) -> None:
    with pytest.raises(NotAllowed):
        new_account(session, role=Role.ADMIN)


def test_an_address_has_one_account_however_it_is_written(session: Session) -> None:
    new_account(session, "anna@example.org")

    with pytest.raises(RuleBroken, match="has an account already"):
        new_account(session, "Anna@Example.ORG")


@pytest.mark.parametrize(
    "email",
    ["", "anna", "@example.org", "anna@", "a b@example.org", "anna@example", "ä@example.org",
     "anna@example.org\r\nBcc: x@y.zz", "a" * 250 + "@example.org", "\0@example.org", "a@b..c"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words(session: Session, email: str) -> None:
    with pytest.raises(RuleBroken):
        new_account(session, email)


def test_only_the_hash_of_a_token_is_kept(session: Session) -> None:
    token = new_account(session)

    kept = session.scalars(select(SignedIn.token_hash)).one()

    assert kept.hex() == accounts.key_of(token)
    assert token.encode() not in kept


def test_signing_in_again_gives_another_token(session: Session) -> None:
    first = new_account(session)
    known = accounts.begin_sign_in(session, "anna@example.org", HERE.address)
    assert known.user_id is not None

    second = accounts.finish_sign_in(session, known.user_id, "anna@example.org", HERE)

    assert second.token != first
    assert not second.is_half


def test_strangers_and_disabled_users_look_alike(session: Session) -> None:
    user = make_user(session, email="ben@example.org")
    user.disabled_at = clock.now()
    session.flush()

    stranger = accounts.begin_sign_in(session, "nobody@example.org", HERE.address)
    disabled = accounts.begin_sign_in(session, "ben@example.org", HERE.address)

    assert stranger == disabled == accounts.Known(None, None)


def test_the_eleventh_wrong_password_for_an_account_waits(session: Session) -> None:
    for number in range(10):
        accounts.begin_sign_in(session, "anna@example.org", f"203.0.113.{number}")

    with pytest.raises(TooMany, match="5 minutes"):
        accounts.begin_sign_in(session, "anna@example.org", "203.0.113.99")


def test_the_eleventh_wrong_password_from_an_address_waits(session: Session) -> None:
    for number in range(10):
        accounts.begin_sign_in(session, f"person{number}@example.com", HERE.address)

    with pytest.raises(TooMany):
        accounts.begin_sign_in(session, "somebody@example.com", HERE.address)


def test_a_right_password_forgives_the_account_but_not_the_address(session: Session) -> None:
    new_account(session)
    for _ in range(9):
        accounts.begin_sign_in(session, "anna@example.org", HERE.address)
    known = accounts.begin_sign_in(session, "anna@example.org", HERE.address)
    assert known.user_id is not None

    accounts.finish_sign_in(session, known.user_id, "anna@example.org", HERE)

    accounts.begin_sign_in(session, "anna@example.org", HERE.address)
    with pytest.raises(TooMany):
        accounts.begin_sign_in(session, "other@example.org", HERE.address)


def test_old_attempts_do_not_count(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now() - timedelta(minutes=6)
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: before)
        for _ in range(10):
            accounts.begin_sign_in(session, "anna@example.org", HERE.address)

    known = accounts.begin_sign_in(session, "anna@example.org", HERE.address)

    assert known.user_id is None


def test_a_session_is_dead_after_sign_out(session: Session) -> None:
    key = accounts.key_of(new_account(session))

    accounts.close_session(session, key)
    accounts.close_session(session, key)

    with pytest.raises(SignInNeeded):
        accounts.as_user(session, key, who)


@pytest.mark.parametrize("days", [14, 31])
def test_a_session_ends_when_idle_or_old(
    session: Session, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    key = accounts.key_of(new_account(session))
    later = clock.now() + timedelta(days=days, seconds=1)

    monkeypatch.setattr(clock, "now", lambda: later)

    assert accounts.viewer(session, key) is None


def test_being_seen_keeps_a_session_for_its_thirty_days_and_no_longer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = accounts.key_of(new_account(session))
    start = clock.now()
    for day in range(0, 30, 10):
        monkeypatch.setattr(clock, "now", lambda day=day: start + timedelta(days=day))
        assert accounts.viewer(session, key) is not None
        session.flush()

    monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=30, seconds=1))

    assert accounts.viewer(session, key) is None


def test_an_admins_session_lasts_half_a_day(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session, roles=(Role.ADMIN,))
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))
    later = clock.now() + timedelta(hours=12, seconds=1)

    monkeypatch.setattr(clock, "now", lambda: later)

    assert accounts.viewer(session, key) is None


def test_a_disabled_user_is_signed_out_at_once(session: Session) -> None:
    user = make_user(session)
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))
    user.disabled_at = clock.now()
    session.flush()

    assert not accounts.is_alive(session, key)


def test_a_role_counts_from_the_next_transaction(session: Session) -> None:
    user = make_user(session)
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))

    accounts.begin_teaching(session, actor(user))
    session.expire_all()

    viewer = accounts.viewer(session, key)
    assert viewer is not None
    assert viewer.teaches


def test_changing_the_password_ends_every_other_session(session: Session) -> None:
    user = make_user(session)
    old = accounts.key_of(accounts.open_session(session, user.id, HERE))

    token, ended = accounts.change_password(session, actor(user), "argon2-of-another", HERE)

    assert ended == [old]
    assert accounts.viewer(session, old) is None
    assert accounts.viewer(session, accounts.key_of(token)) is not None
    assert session.scalars(select(User.password_hash)).one() == "argon2-of-another"


def test_what_matters_asks_for_the_password_again_after_ten_minutes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = accounts.key_of(new_account(session))
    policies.ensure_fresh(found(session, key))
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)

    with pytest.raises(ProveAgain):
        policies.ensure_fresh(found(session, key))

    proofs.prove(session, found(session, key))
    policies.ensure_fresh(found(session, key))


def found(session: Session, key: str) -> Actor:
    viewer = accounts.viewer(session, key)
    assert viewer is not None
    return viewer


def test_an_admin_is_made_by_address(session: Session) -> None:
    user = make_user(session, email="root@example.org")
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))

    accounts.grant_admin(session, " Root@example.org ")

    assert accounts.viewer(session, key) is None
    session.expire_all()
    fresh = accounts.viewer(session, accounts.key_of(accounts.open_session(session, user.id, HERE)))
    assert fresh is not None
    assert fresh.is_admin


def test_nobody_without_an_account_is_made_an_admin(session: Session) -> None:
    with pytest.raises(NotFound, match="Sign up first"):
        accounts.grant_admin(session, "nobody@example.org")


def test_the_test_password_passes_our_own_rules() -> None:
    from luma.services import passwords

    passwords.check(PASSWORD, "Anna Berg", "anna@example.org")

    assert passwords.verified(PASSWORD, password_hash())[0]
