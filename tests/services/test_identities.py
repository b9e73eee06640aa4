"""Identities: to whom they belong, and the way of one browser to a provider and back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, NotFound, ProveAgain, RuleBroken, TooMany
from luma.models.identity import IdentityVisit
from luma.models.letter import Letter
from luma.models.user import SignedIn, User
from luma.services import accounts, clock, identities, identity_visits, policies, second_factor
from luma.services.accounts import Visit
from luma.services.gateways.oidc import Claims
from luma.services.identities import Identity
from luma.services.identity_visits import Arrival
from luma.settings import Provider, settings
from luma.values import Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, fresh, make_user

HERE = Visit("203.0.113.7", "Firefox")
BROWSER, OTHER = "b" * 43, "o" * 43
ISSUER = "https://accounts.google.com"
PAULA = Identity(f"{ISSUER} 1", "paula@example.org", "Paula")


@pytest.fixture(autouse=True)
def _providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, issuer in (("GOOGLE", ISSUER), ("CLERK", "https://clerk.school.example")):
        monkeypatch.setenv(f"LUMA_OIDC_{name}_ISSUER", issuer)
        monkeypatch.setenv(f"LUMA_OIDC_{name}_CLIENT_ID", "x")
        monkeypatch.setenv(f"LUMA_OIDC_{name}_CLIENT_SECRET", "x")
    settings.cache_clear()
    yield
    settings.cache_clear()


def google() -> Provider:
    return identities.provider_named("google")


def back(session: Session, identity: Identity = PAULA, onward: str = "") -> Arrival:
    """Away and back again, as whoever it says."""
    made = identity_visits.begin(session, "google", BROWSER, onward, HERE.address)
    session.flush()
    found = identity_visits.take_back(session, "google", made.state, BROWSER)
    return identity_visits.arrive(session, None, found.visit, identity, HERE)


def linked(session: Session, user: User, identity: Identity = PAULA) -> None:
    made = identity_visits.begin_linking(session, fresh(user), "google", BROWSER, HERE.address)
    session.flush()
    found = identity_visits.take_back(session, "google", made.state, BROWSER)
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))
    session.flush()
    identity_visits.arrive(session, key, found.visit, identity, HERE)
    session.refresh(user, ["external_id"])


def by_name(session: Session, email: str = "paula@example.org") -> User:
    return session.scalars(select(User).where(User.email == email)).one()


class TestKeys:
    def test_no_two_pairs_make_the_same_key(self) -> None:
        pairs = [
            ("https://a.example", "b c"),
            ("https://a.example", "b"),
            ("https://a.example/", "b"),
            ("https://a.exampl", "e b"),
            ("https://a.example", "s" * 255),
            ("https://a.example", "s" * 254),
            ("https://a.example", "S" * 255),
        ]

        keys = {identities.external_id(*pair) for pair in pairs}

        assert len(keys) == len(pairs)
        assert max(map(len, keys)) <= 255

    def test_an_issuer_with_a_space_is_refused(self) -> None:
        with pytest.raises(ValueError, match="issuer"):
            Provider(name="x", issuer="https://a.example b", client_id="x", client_secret="x")  # type: ignore[arg-type]  # as the environment gives it

    def test_a_provider_that_is_not_there(self) -> None:
        with pytest.raises(NotFound):
            identities.provider_named("nobody")


class TestAddresses:
    def claims(self, **changes: object) -> Claims:
        told: dict[str, object] = {
            "subject": "1",
            "email": "Paula@Example.org",
            "is_confirmed": True,
            "name": "Paula",
        }
        return Claims(**told | changes)  # type: ignore[arg-type]

    def test_a_confirmed_address_is_taken(self) -> None:
        assert identities.identity(google(), self.claims()) == PAULA

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"is_confirmed": False}, "has not confirmed"),
            ({"email": ""}, "did not tell"),
            ({"email": "ä@example.org"}, "cannot be used here"),
            ({"email": "a@b.example\r\nBcc: x@y.zz"}, "cannot be used here"),
            ({"email": "a" * 300 + "@b.example"}, "cannot be used here"),
        ],
    )
    def test_others_are_refused_in_words(self, changes: dict[str, object], sentence: str) -> None:
        with pytest.raises(RuleBroken, match=sentence):
            identities.identity(google(), self.claims(**changes))

    @pytest.mark.parametrize("name", BAD_TEXT)
    def test_a_name_is_only_a_proposal(self, name: str) -> None:
        assert len(identities.identity(google(), self.claims(name=name)).name) <= 80


class TestTheWay:
    def test_it_is_good_once(self, session: Session) -> None:
        made = identity_visits.begin(session, "google", BROWSER, "/orders", HERE.address)
        session.flush()

        first = identity_visits.take_back(session, "google", made.state, BROWSER)

        assert (first.secrets, first.onward, first.links) == (made, "/orders", False)
        with pytest.raises(RuleBroken, match="used already"):
            identity_visits.take_back(session, "google", made.state, BROWSER)

    @pytest.mark.parametrize(
        ("provider", "state", "browser"),
        [
            ("clerk", None, BROWSER),
            ("google", "another", BROWSER),
            ("google", "", BROWSER),
            ("google", None, OTHER),
            ("google", None, ""),
        ],
    )
    def test_only_this_browser_comes_back_from_this_provider(
        self, session: Session, provider: str, state: str | None, browser: str
    ) -> None:
        made = identity_visits.begin(session, "google", BROWSER, "", HERE.address)
        session.flush()

        with pytest.raises(RuleBroken):
            identity_visits.take_back(
                session, provider, made.state if state is None else state, browser
            )

    def test_it_lasts_ten_minutes(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        made = identity_visits.begin(session, "google", BROWSER, "", HERE.address)
        session.flush()
        later = clock.now() + timedelta(minutes=10)
        monkeypatch.setattr(clock, "now", lambda: later)

        with pytest.raises(RuleBroken):
            identity_visits.take_back(session, "google", made.state, BROWSER)
        identity_visits.forget_old(session)

    def test_only_hashes_are_kept_of_what_the_browser_brings(self, session: Session) -> None:
        made = identity_visits.begin(session, "google", BROWSER, "", HERE.address)
        session.flush()

        row = session.scalars(select(IdentityVisit)).one()

        assert made.state.encode() not in row.state_hash
        assert BROWSER.encode() not in row.browser_hash

    def test_nobody_begins_without_end(self, session: Session) -> None:
        for _ in range(100):
            identity_visits.begin(session, "google", BROWSER, "", HERE.address)

        with pytest.raises(TooMany):
            identity_visits.begin(session, "google", BROWSER, "", HERE.address)

    def test_what_is_over_is_forgotten(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        back(session)
        later = clock.now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: later)

        identity_visits.forget_old(session)

        assert session.scalar(select(func.count()).select_from(IdentityVisit)) == 0


class TestFirstTime:
    def test_the_role_is_asked_before_there_is_an_account(self, session: Session) -> None:
        arrival = back(session, onward="/orders")
        assert arrival.first is not None
        assert session.scalar(select(func.count()).select_from(User)) == 0

        person = identity_visits.first_time(session, arrival.first, BROWSER)
        done = identity_visits.sign_up(
            session, arrival.first, BROWSER, "Paula P.", Role.INSTRUCTOR, HERE
        )

        assert (person.name, person.email, person.has_account) == (
            "Paula",
            "paula@example.org",
            False,
        )
        assert done.admitted is not None
        viewer = accounts.viewer(session, accounts.key_of(done.admitted.token))
        assert viewer is not None
        assert viewer.name == "Paula P."
        assert viewer.roles == {Role.STUDENT, Role.INSTRUCTOR}
        assert by_name(session).external_id == PAULA.external_id
        assert by_name(session).email_verified_at is not None

    def test_the_next_time_there_is_nothing_to_ask(self, session: Session) -> None:
        first = back(session).first or ""
        identity_visits.sign_up(session, first, BROWSER, "Paula", Role.STUDENT, HERE)

        again = back(session, Identity(PAULA.external_id, "moved@example.org", "Paula"))

        assert again.admitted is not None
        assert not again.admitted.is_half
        assert by_name(session).email == "paula@example.org"

    def test_nobody_becomes_an_admin(self, session: Session) -> None:
        with pytest.raises(NotAllowed):
            identity_visits.sign_up(
                session, back(session).first or "", BROWSER, "P", Role.ADMIN, HERE
            )

    @pytest.mark.parametrize("visit", ["", "idv_nothing", "\0", "a" * 500, None])
    def test_somebody_elses_visit_is_over(self, session: Session, visit: str | None) -> None:
        mine = back(session).first or ""

        with pytest.raises(RuleBroken):
            identity_visits.first_time(session, mine if visit is None else visit, OTHER)

    def test_a_visit_ends_with_the_answer(self, session: Session) -> None:
        first = back(session).first or ""
        identity_visits.sign_up(session, first, BROWSER, "Paula", Role.STUDENT, HERE)

        with pytest.raises(RuleBroken, match="Start again"):
            identity_visits.sign_up(session, first, BROWSER, "Paula", Role.STUDENT, HERE)

    def test_a_closed_account_stays_closed(self, session: Session) -> None:
        user = make_user(session, email="paula@example.org")
        user.external_id, user.disabled_at = PAULA.external_id, clock.now()
        session.flush()

        with pytest.raises(NotAllowed, match="closed"):
            back(session)

    def test_a_code_is_asked_for_here_too(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = make_user(session)
        user.external_id = PAULA.external_id
        session.flush()
        monkeypatch.setattr(second_factor, "is_on", lambda *_: True)

        arrival = back(session)

        assert arrival.admitted is not None
        assert arrival.admitted.is_half


class TestJoining:
    def test_an_account_is_joined_only_through_its_password(self, session: Session) -> None:
        user = make_user(session, email="paula@example.org")
        user.email_verified_at = None

        first = back(session).first or ""

        assert identity_visits.first_time(session, first, BROWSER).has_account
        with pytest.raises(RuleBroken, match="has an account already"):
            identity_visits.sign_up(session, first, BROWSER, "Paula", Role.STUDENT, HERE)
        session.expire_all()
        assert by_name(session).external_id is None
        known = identity_visits.begin_join(session, first, BROWSER, HERE.address)
        assert known.user_id == user.id
        done = identity_visits.join(session, first, BROWSER, user.id, HERE)
        assert done.admitted is not None
        session.expire_all()
        assert by_name(session).external_id == PAULA.external_id
        assert by_name(session).email_verified_at is not None
        assert session.scalars(select(Letter.kind)).all() == ["identity-linked"]

    def test_guessing_the_password_counts_as_guessing_at_sign_in(self, session: Session) -> None:
        make_user(session, email="paula@example.org")
        first = back(session).first or ""
        for _ in range(10):
            identity_visits.begin_join(session, first, BROWSER, HERE.address)

        with pytest.raises(TooMany):
            identity_visits.begin_join(session, first, BROWSER, HERE.address)

    def test_an_account_with_another_identity_says_which(self, session: Session) -> None:
        user = make_user(session, email="paula@example.org")
        user.external_id = identities.external_id("https://clerk.school.example", "user_1")
        session.flush()

        first = back(session).first or ""

        with pytest.raises(RuleBroken, match="linked to Clerk"):
            identity_visits.first_time(session, first, BROWSER)


class TestLinking:
    def test_from_inside_whatever_the_address(self, session: Session) -> None:
        user = make_user(session, email="work@example.org")
        user.email_verified_at = None

        linked(session, user)

        assert user.external_id == PAULA.external_id
        assert user.email == "work@example.org"
        session.refresh(user, ["email_verified_at"])
        assert user.email_verified_at is None
        shown = identities.of(session, actor(user))
        assert (shown.linked, shown.offered, shown.may_unlink) == (
            identities.Linked("google", "Google"),
            (),
            True,
        )

    def test_it_asks_for_a_fresh_sign_in(self, session: Session) -> None:
        user = make_user(session)

        with pytest.raises(ProveAgain):
            identity_visits.begin_linking(session, actor(user), "google", BROWSER, HERE.address)
        with pytest.raises(ProveAgain):
            identities.unlink(session, actor(user))

    def test_an_identity_belongs_to_one_account(self, session: Session) -> None:
        linked(session, make_user(session))

        with pytest.raises(RuleBroken, match="belongs to another account"):
            linked(session, make_user(session))

    def test_an_account_has_one_identity(self, session: Session) -> None:
        user = make_user(session)
        linked(session, user)

        with pytest.raises(RuleBroken, match="linked already"):
            linked(session, user, Identity(f"{ISSUER} 2", "x@example.org", ""))

    @pytest.mark.parametrize("key", [None, "00" * 32, "other"])
    def test_whoever_began_must_still_be_there(self, session: Session, key: str | None) -> None:
        user, other = make_user(session), make_user(session)
        made = identity_visits.begin_linking(session, fresh(user), "google", BROWSER, HERE.address)
        session.flush()
        found = identity_visits.take_back(session, "google", made.state, BROWSER)
        if key == "other":
            key = accounts.key_of(accounts.open_session(session, other.id, HERE))
            session.flush()

        with pytest.raises(NotAllowed):
            identity_visits.arrive(session, key, found.visit, PAULA, HERE)

        assert user.external_id is None

    def test_unlinking_leaves_the_password(self, session: Session) -> None:
        user = make_user(session)
        linked(session, user)

        identities.unlink(session, fresh(user))
        identities.unlink(session, fresh(user))

        session.refresh(user, ["external_id"])
        assert user.external_id is None
        offered = identities.of(session, actor(user)).offered
        assert [one.label for one in offered] == ["Clerk", "Google"]
        written = session.scalars(select(Letter.kind).order_by(Letter.id)).all()
        assert written == ["identity-linked", "identity-unlinked"]

    def test_the_only_way_in_cannot_be_unlinked(self, session: Session) -> None:
        user = make_user(session)
        linked(session, user)
        user.password_hash = None
        session.flush()

        with pytest.raises(RuleBroken, match="Set a password first"):
            identities.unlink(session, fresh(user))

    def test_a_provider_that_is_gone_is_named_by_its_host(self) -> None:
        key = identities.external_id("https://old.example", "1")

        assert identities.label(key) == "old.example"
        assert identities.label(identities.external_id(ISSUER, "s" * 255)) == "Another service"


class TestShowingItAgain:
    def again(self, session: Session, user: User, identity: Identity = PAULA) -> str:
        """The key of a session that is an hour old, after its owner has been at the provider."""
        key = accounts.key_of(accounts.open_session(session, user.id, HERE))
        session.flush()
        hour_ago = clock.now() - timedelta(hours=1)
        session.execute(update(SignedIn).values(authenticated_at=hour_ago))
        viewer = accounts.viewer(session, key)
        assert viewer is not None
        name, made = identity_visits.begin_again(session, viewer, BROWSER, "/x", HERE.address)
        session.flush()
        found = identity_visits.take_back(session, name, made.state, BROWSER)
        arrival = identity_visits.arrive(session, key, found.visit, identity, HERE)
        assert (arrival.onward, arrival.is_linked) == ("/x", False)
        return key

    def known(self, session: Session) -> User:
        user = make_user(session)
        user.external_id = PAULA.external_id
        session.flush()
        return user

    @pytest.mark.parametrize("seconds", [None, 5])
    def test_it_opens_what_matters(self, session: Session, seconds: int | None) -> None:
        at = None if seconds is None else int(clock.now().timestamp()) - seconds
        key = self.again(session, self.known(session), replace(PAULA, signed_in_at=at))

        viewer = accounts.viewer(session, key)
        assert viewer is not None
        policies.ensure_fresh(viewer)

    def test_a_sign_in_of_long_ago_is_not_enough(self, session: Session) -> None:
        old = replace(PAULA, signed_in_at=int(clock.now().timestamp()) - 3600)

        with pytest.raises(NotAllowed, match="long ago"):
            self.again(session, self.known(session), old)

    def test_another_identity_shows_nothing(self, session: Session) -> None:
        with pytest.raises(RuleBroken):
            self.again(session, self.known(session), Identity(f"{ISSUER} 2", "x@b.example", ""))

    def test_without_an_identity_there_is_the_password(self, session: Session) -> None:
        with pytest.raises(RuleBroken, match="Use your password"):
            identity_visits.begin_again(
                session, actor(make_user(session)), BROWSER, "/x", HERE.address
            )


class TestRaces:
    """On a database of their own, where transactions are real."""

    def test_one_identity_makes_one_account(self, fresh_database: str) -> None:
        with db.unit_of_work() as session:
            firsts = [back(session).first or "" for _ in range(6)]

        def sign_up(first: str) -> bool:
            try:
                with db.unit_of_work() as session:
                    identity_visits.sign_up(session, first, BROWSER, "P", Role.STUDENT, HERE)
            except LumaError:
                return False
            return True

        with ThreadPoolExecutor(6) as threads:
            made = list(threads.map(sign_up, firsts))

        assert made.count(True) == 1
        with db.unit_of_work() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1

    def test_of_two_accounts_one_gets_the_identity(self, fresh_database: str) -> None:
        with db.unit_of_work() as session:
            ids = [make_user(session).id for _ in range(6)]

        def link(user_id: int) -> bool:
            try:
                with db.unit_of_work() as session:
                    identities.hold(session, PAULA.external_id)
                    identities.link(session, user_id, PAULA.external_id, "Google")
            except LumaError:
                return False
            return True

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(link, ids)).count(True) == 1

    def test_one_state_comes_back_once(self, fresh_database: str) -> None:
        with db.unit_of_work() as session:
            made = identity_visits.begin(session, "google", BROWSER, "", HERE.address)

        def come_back(_: int) -> bool:
            try:
                with db.unit_of_work() as session:
                    identity_visits.take_back(session, "google", made.state, BROWSER)
            except LumaError:
                return False
            return True

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(come_back, range(6))).count(True) == 1


def test_an_identity_is_found_by_one_look_up_of_an_index(session: Session) -> None:
    """No second table, no walk."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(text("EXPLAIN SELECT * FROM users WHERE external_id = 'x'")).scalars()

    assert "uq_users_external_id" in " ".join(plan)
