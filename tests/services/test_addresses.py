"""An address is confirmed by whoever reads its mail, and changes when both have agreed."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, ProveAgain, RuleBroken, TooMany
from luma.models.audit import AuditEntry
from luma.models.letter import Letter
from luma.models.user import User
from luma.services import accounts, addresses, clock, resets, studio, verification
from luma.services.accounts import Visit
from luma.services.addresses import Change, Standing
from luma.services.policies import Actor
from luma.values import Money, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_course, make_instructor, make_user, password_hash
from tests.services.test_resets import asked, later, sent, token_in

HERE = Visit("203.0.113.7", "Firefox")


def signed_in(session: Session, user: User) -> Actor:
    """`user` as they have just signed in."""
    session.flush()
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))
    viewer = accounts.viewer(session, key)
    assert viewer is not None
    return viewer


def unconfirmed(session: Session, email: str | None = None) -> User:
    user = make_user(session, email=email)
    user.email_verified_at = None
    session.flush()
    return user


def kinds(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Letter.kind, Letter.address).order_by(Letter.id)).all()
    return [(row.kind, row.address) for row in rows]


def test_signing_up_sends_the_link_that_confirms(session: Session) -> None:
    accounts.sign_up(session, "Anna", "anna@example.org", password_hash(), Role.STUDENT, HERE)
    user = session.scalars(select(User)).one()
    assert not verification.is_verified(session, user.id)

    token = token_in(sent(session, "verify"))
    for _ in range(2):
        addresses.confirm(session, token)

    assert verification.is_verified(session, user.id)


def test_a_stranger_at_the_address_does_not_read_what_somebody_called_themselves(
    session: Session,
) -> None:
    accounts.sign_up(
        session, "Win http://evil.example", "a@example.org", password_hash(), Role.STUDENT, HERE
    )

    letter = sent(session, "verify")

    assert "evil" not in letter.greeting + letter.subject + letter.text


def test_a_link_confirms_for_a_day(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = signed_in(session, unconfirmed(session))
    addresses.ask_to_verify(session, anna)
    later(monkeypatch, timedelta(hours=24))

    with pytest.raises(NotFound):
        addresses.confirm(session, token_in(sent(session, "verify")))


def test_the_fourth_link_in_six_hours_waits(session: Session) -> None:
    anna = signed_in(session, unconfirmed(session))
    for _ in range(3):
        addresses.ask_to_verify(session, anna)

    with pytest.raises(TooMany, match="6 hours"):
        addresses.ask_to_verify(session, anna)


def test_who_is_confirmed_needs_no_link(session: Session) -> None:
    anna = signed_in(session, make_user(session))

    with pytest.raises(RuleBroken, match="confirmed already"):
        addresses.ask_to_verify(session, anna)


def test_an_admin_has_the_link_sent_again_and_that_is_noted(session: Session) -> None:
    admin = signed_in(session, make_user(session, roles=(Role.ADMIN,)))
    user = unconfirmed(session)

    addresses.verify_again(session, admin, user.id)

    assert sent(session, "verify").address == user.email
    assert session.scalars(select(AuditEntry.thing)).one() == f"user {user.id}"
    with pytest.raises(NotAllowed):
        addresses.verify_again(session, signed_in(session, make_user(session)), user.id)
    with pytest.raises(NotFound):
        addresses.verify_again(session, admin, 2**40)


def test_an_address_changes_when_the_old_and_the_new_have_agreed(session: Session) -> None:
    user = make_user(session, email="old@example.org")
    anna = signed_in(session, user)

    addresses.ask_to_change(session, anna, " New@Example.org ")

    old, new = sent(session, "address-old"), sent(session, "address-new")
    assert (old.address, new.address) == ("old@example.org", "new@example.org")
    assert addresses.standing(session, anna) == Standing(
        "old@example.org", is_verified=True, pending="new@example.org"
    )
    tokens = [token_in(new), token_in(old)]
    assert addresses.confirm_change(session, tokens[0]) is Change.ONE_LEFT
    session.refresh(user)
    assert user.email == "old@example.org"
    assert addresses.confirm_change(session, tokens[1]) is Change.DONE
    session.refresh(user)
    assert user.email == "new@example.org"
    assert kinds(session)[-2:] == [
        ("address-changed", "new@example.org"),
        ("address-changed", "old@example.org"),
    ]


def test_agreeing_twice_at_one_address_changes_nothing(session: Session) -> None:
    user = make_user(session, email="old@example.org")
    addresses.ask_to_change(session, signed_in(session, user), "new@example.org")
    token = token_in(sent(session, "address-new"))
    addresses.confirm_change(session, token)

    with pytest.raises(NotFound):
        addresses.confirm_change(session, token)

    session.refresh(user)
    assert user.email == "old@example.org"


def test_an_address_that_was_never_confirmed_need_not_agree(session: Session) -> None:
    """Whoever mistyped their address could never change it otherwise."""
    user = unconfirmed(session, email="tpyo@example.org")

    addresses.ask_to_change(session, signed_in(session, user), "typo@example.org")

    assert kinds(session) == [("address-new", "typo@example.org")]
    addresses.confirm_change(session, token_in(sent(session, "address-new")))
    session.refresh(user)
    assert (user.email, user.email_verified_at is not None) == ("typo@example.org", True)


def test_a_change_asks_for_a_fresh_sign_in(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = signed_in(session, make_user(session))
    later(monkeypatch, timedelta(minutes=11))

    with pytest.raises(ProveAgain):
        addresses.ask_to_change(session, anna, "new@example.org")


def test_nobody_learns_whether_an_address_has_an_account(session: Session) -> None:
    make_user(session, email="taken@example.org")
    user = make_user(session, email="old@example.org")
    anna = signed_in(session, user)

    addresses.ask_to_change(session, anna, "taken@example.org")

    assert kinds(session)[-2:] == [
        ("address-old", "old@example.org"),
        ("address-taken", "taken@example.org"),
    ]
    assert addresses.standing(session, anna).pending == "taken@example.org"
    assert addresses.confirm_change(session, token_in(sent(session, "address-old"))) is (
        Change.ONE_LEFT
    )


def test_an_address_taken_meanwhile_stays_with_who_has_it(session: Session) -> None:
    user = unconfirmed(session)
    addresses.ask_to_change(session, signed_in(session, user), "new@example.org")
    make_user(session, email="new@example.org")

    with pytest.raises(RuleBroken, match="by now"):
        addresses.confirm_change(session, token_in(sent(session, "address-new")))


def test_a_new_wish_takes_the_place_of_the_one_before(session: Session) -> None:
    user = unconfirmed(session)
    anna = signed_in(session, user)
    addresses.ask_to_change(session, anna, "first@example.org")
    first = token_in(sent(session, "address-new"))

    addresses.ask_to_change(session, anna, "second@example.org")

    with pytest.raises(NotFound):
        addresses.confirm_change(session, first)
    with pytest.raises(TooMany):
        addresses.ask_to_change(session, anna, "third@example.org")


def test_a_change_that_is_forgotten_cannot_be_confirmed(session: Session) -> None:
    user = unconfirmed(session)
    anna = signed_in(session, user)
    addresses.ask_to_change(session, anna, "new@example.org")

    addresses.forget_change(session, anna)

    assert addresses.standing(session, anna).pending is None
    with pytest.raises(NotFound):
        addresses.confirm_change(session, token_in(sent(session, "address-new")))


def test_a_change_ends_the_links_that_went_to_the_old_address(session: Session) -> None:
    user = unconfirmed(session)
    reset = asked(session, user)
    addresses.ask_to_change(session, signed_in(session, user), "new@example.org")

    addresses.confirm_change(session, token_in(sent(session, "address-new")))

    assert resets.owner(session, reset) is None


def test_one_links_token_opens_nothing_else(session: Session) -> None:
    user = make_user(session)
    token = asked(session, user)

    with pytest.raises(NotFound):
        addresses.confirm(session, token)
    with pytest.raises(NotFound):
        addresses.confirm_change(session, token)


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_what_is_no_address_is_refused_in_words(session: Session, bad: str) -> None:
    anna = signed_in(session, make_user(session))

    with pytest.raises(RuleBroken):
        addresses.ask_to_change(session, anna, bad)
    with pytest.raises(NotFound):
        addresses.confirm(session, bad)
    with pytest.raises(NotFound):
        addresses.confirm_change(session, bad)


def test_a_token_is_not_in_the_database(session: Session) -> None:
    user = unconfirmed(session)
    addresses.ask_to_verify(session, signed_in(session, user))
    letter = sent(session, "verify")

    assert letter.button_path == "/verify/{token}"
    assert clock.now() < letter.created_at + timedelta(minutes=1)
    assert token_in(letter) not in repr(vars(letter))


def test_a_price_asks_for_a_confirmed_address_and_learning_does_not(session: Session) -> None:
    ines = make_instructor(session)
    ines.email_verified_at = None
    course = make_course(session, instructor=ines, price=Money(4900, "usd"))
    free = make_course(session, instructor=ines, price=Money(0, "usd"))
    first, *_ = studio.checklist(session, actor(ines), course.public_id)
    assert first.field == "address"

    with pytest.raises(RuleBroken, match="confirm your e-mail address"):
        studio.publish(session, actor(ines), course.public_id)

    studio.publish(session, actor(ines), free.public_id)
    saved = studio.update(
        session, actor(ines), free.public_id, free.revision, {"price": "49", "title": "Bread"}
    )
    assert isinstance(saved, studio.Saved)
    assert saved.refused == {"price": verification.BEFORE_SELLING}
    assert (saved.sheet.price, saved.sheet.title) == (Money(0, "usd"), "Bread")
    ines.email_verified_at = clock.now()
    session.flush()
    studio.publish(session, actor(ines), course.public_id)
