"""People as an admin sees them: who is found, what they are given, who is kept out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, NotFound, ProveAgain, RuleBroken
from luma.models.audit import AuditEntry
from luma.models.letter import Letter
from luma.models.user import User, UserRole
from luma.services import accounts, policies
from luma.services.accounts import Visit
from luma.services.admin import courses, people
from luma.services.policies import Actor
from luma.values import CourseStatus, Role
from tests.bad_values import BAD_JSON
from tests.factories import actor, enrol, fresh, make_published, make_user

HERE = Visit("192.0.2.1", "Firefox")
Deed = Callable[[Session, Actor, int], object]

DECISIONS: dict[str, Deed] = {
    "grant": lambda session, by, who: people.grant_role(session, by, who, "instructor"),
    "take": lambda session, by, who: people.take_role(session, by, who, "instructor"),
    "disable": lambda session, by, who: people.disable(session, by, who, "Spam"),
    "enable": people.enable,
}
DEEDS: dict[str, Deed] = {
    **DECISIONS,
    "sign out": people.sign_out,
    "verify": people.verify_again,
    "find": lambda session, by, _who: people.found(session, by, "", 10),
}


def log(session: Session) -> list[tuple[str, str]]:
    session.flush()
    rows = session.execute(select(AuditEntry.act, AuditEntry.thing).order_by(AuditEntry.id))
    return [(act, thing) for act, thing in rows]


def roles(session: Session, user: User) -> set[Role]:
    return set(session.scalars(select(UserRole.role).where(UserRole.user_id == user.id)))


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
@pytest.mark.parametrize("role", [(), (Role.INSTRUCTOR,)], ids=["student", "instructor"])
def test_only_admins_do_it(session: Session, deed: Deed, role: tuple[Role, ...]) -> None:
    victim, somebody = make_user(session), make_user(session, roles=role)

    with pytest.raises(NotAllowed):
        deed(session, fresh(somebody), victim.id)

    assert log(session) == []


@pytest.mark.parametrize("deed", DECISIONS.values(), ids=DECISIONS)
def test_deciding_over_people_asks_for_a_fresh_sign_in(session: Session, deed: Deed) -> None:
    somebody = make_user(session)
    stale = actor(make_user(session, roles=(Role.ADMIN,)))

    with pytest.raises(ProveAgain):
        deed(session, stale, somebody.id)


@pytest.mark.parametrize("deed", [d for n, d in DEEDS.items() if n != "find"])
def test_somebody_who_is_not_there_is_not_found(
    session: Session, admin: Actor, deed: Callable[[Session, Actor, object], object]
) -> None:
    nobodies: tuple[object, ...] = (0, -1, 2**63, 2**70, "x", None, [], {"id": 1}, 999_999_999)
    for nobody in nobodies:
        with pytest.raises(NotFound):
            deed(session, admin, nobody)


def test_people_are_found_by_parts_of_name_and_address(session: Session, admin: Actor) -> None:
    anna = make_user(session, "Anna Berg", email="anna@example.org")
    make_user(session, "Bo Lund", email="bo@example.net")

    by_name = people.found(session, admin, "nna b", 10)
    by_address = people.found(session, admin, "ANNA@", 10)
    by_sign = people.found(session, admin, "%", 10)

    assert [p.id for p in by_name.found] == [p.id for p in by_address.found] == [anna.id]
    assert by_sign.found == ()


def test_a_long_list_says_that_there_is_more(session: Session, admin: Actor) -> None:
    for number in range(3):
        make_user(session, f"Person {number}")

    page = people.found(session, admin, "", 2)

    assert [p.name for p in page.found] == ["Person 2", "Person 1"]
    assert page.has_more


def test_a_person_is_shown_with_what_they_do(session: Session, admin: Actor) -> None:
    student = make_user(session, "Sam")
    course = make_published(session)
    enrol(session, student, course)
    accounts.open_session(session, student.id, HERE)
    session.flush()

    shown = {p.id: p for p in people.found(session, admin, "", 10).found}

    assert (shown[student.id].learns, shown[student.id].browsers) == (1, 1)
    assert shown[course.instructor_id].teaches == 1
    assert shown[course.instructor_id].seen_at is None


def test_a_role_given_counts_from_the_next_sign_in(session: Session, admin: Actor) -> None:
    somebody = make_user(session)
    token = accounts.open_session(session, somebody.id, HERE)
    session.flush()

    ended = people.grant_role(session, admin, somebody.id, "instructor")

    assert list(ended) == [accounts.key_of(token)]
    assert not accounts.is_alive(session, accounts.key_of(token))
    assert Role.INSTRUCTOR in roles(session, somebody)
    assert log(session) == [("user.grant_role", f"user {somebody.id}")]


def test_what_is_there_already_changes_nothing(session: Session, admin: Actor) -> None:
    somebody = make_user(session, roles=(Role.INSTRUCTOR,))
    accounts.open_session(session, somebody.id, HERE)
    session.flush()

    given = people.grant_role(session, admin, somebody.id, "instructor")
    people.enable(session, admin, somebody.id)
    taken = people.take_role(session, admin, somebody.id, "admin")

    assert (list(given), list(taken), log(session)) == ([], [], [])


def test_a_role_taken_is_gone_at_once(session: Session, admin: Actor) -> None:
    somebody = make_user(session, roles=(Role.INSTRUCTOR,))

    people.take_role(session, admin, somebody.id, "instructor")
    session.flush()

    assert roles(session, somebody) == {Role.STUDENT}
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.before == {"roles": ["instructor", "student"]}
    assert entry.after == {"roles": ["student"]}


@pytest.mark.parametrize("word", [word for word in BAD_JSON if word != "admin"])
def test_only_roles_of_the_list_are_given(session: Session, admin: Actor, word: object) -> None:
    with pytest.raises(RuleBroken, match="from the list"):
        people.grant_role(session, admin, admin.id, word)


def test_nobody_stops_being_a_student(session: Session, admin: Actor) -> None:
    with pytest.raises(RuleBroken):
        people.take_role(session, admin, admin.id, "student")


def test_the_last_admin_stays(session: Session, admin: Actor) -> None:
    disabled = make_user(session, roles=(Role.ADMIN,))
    people.disable(session, admin, disabled.id, "On leave")
    session.flush()

    with pytest.raises(RuleBroken, match="last admin"):
        people.take_role(session, admin, admin.id, "admin")


def test_one_of_two_admins_may_step_down(session: Session, admin: Actor) -> None:
    make_user(session, roles=(Role.ADMIN,))

    people.take_role(session, admin, admin.id, "admin")
    session.flush()

    assert session.scalars(select(UserRole.role).where(UserRole.user_id == admin.id)).all() == [
        Role.STUDENT
    ]


def test_nobody_disables_themselves(session: Session, admin: Actor) -> None:
    make_user(session, roles=(Role.ADMIN,))

    with pytest.raises(RuleBroken, match="your own"):
        people.disable(session, admin, admin.id, "Bored")


def test_who_is_disabled_is_signed_out_and_stays_out(session: Session, admin: Actor) -> None:
    somebody = make_user(session, email="out@example.org")
    token = accounts.open_session(session, somebody.id, HERE)
    session.flush()

    ended = people.disable(session, admin, somebody.id, "Spam")
    session.flush()

    assert list(ended) == [accounts.key_of(token)]
    assert accounts.viewer(session, accounts.key_of(token)) is None
    assert accounts.begin_sign_in(session, "out@example.org", "192.0.2.2").user_id is None
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.after == {"disabled": True, "reason": "Spam"}


def test_who_is_enabled_may_sign_in(session: Session, admin: Actor) -> None:
    somebody = make_user(session, email="out@example.org")
    people.disable(session, admin, somebody.id, "Spam")

    people.enable(session, admin, somebody.id)
    session.flush()

    assert accounts.begin_sign_in(session, "out@example.org", "192.0.2.2").user_id == somebody.id
    assert [act for act, _ in log(session)] == ["user.disable", "user.enable"]


def test_what_somebody_sells_goes_off_sale_with_them_and_comes_back(
    session: Session, admin: Actor
) -> None:
    course = make_published(session)
    bad = make_published(session)
    bad.instructor = course.instructor
    session.flush()
    courses.hide(session, admin, bad.public_id, "Copied from a book.")
    student = make_user(session)
    enrol(session, student, course)

    people.disable(session, admin, course.instructor_id, "Fraud")
    during = course.status
    assert policies.may_learn(session, actor(student), course)
    people.enable(session, admin, course.instructor_id)

    assert (during, course.status) == (CourseStatus.DRAFT, CourseStatus.PUBLISHED)
    assert bad.hidden_reason == "Copied from a book."


def test_disabling_twice_is_noted_once(session: Session, admin: Actor) -> None:
    somebody = make_user(session)

    people.disable(session, admin, somebody.id, "Spam")
    people.disable(session, admin, somebody.id, "Spam")

    assert len(log(session)) == 1


@pytest.mark.parametrize("reason", BAD_JSON)
def test_a_reason_is_one_line_or_refused(session: Session, admin: Actor, reason: object) -> None:
    somebody = make_user(session)

    with suppress(LumaError):
        people.disable(session, admin, somebody.id, reason)
    session.flush()


@pytest.mark.parametrize("words", BAD_JSON)
def test_a_search_is_answered_or_refused(session: Session, admin: Actor, words: object) -> None:
    with suppress(LumaError):
        people.found(session, admin, words, 5)


def test_signing_out_ends_every_browser(session: Session, admin: Actor) -> None:
    somebody = make_user(session)
    tokens = [accounts.open_session(session, somebody.id, HERE) for _ in range(2)]
    session.flush()

    ended = people.sign_out(session, admin, somebody.id)

    assert set(ended) == {accounts.key_of(token) for token in tokens}
    assert people.sign_out(session, admin, somebody.id) == []
    assert log(session) == [("user.sign_out", f"user {somebody.id}")]


def test_the_confirmation_is_sent_again(session: Session, admin: Actor) -> None:
    somebody = make_user(session)
    somebody.email_verified_at = None

    people.verify_again(session, admin, somebody.id)
    session.flush()

    written = session.scalars(select(Letter.user_id)).all()
    assert written == [somebody.id]
    assert log(session) == [("user.verify_again", f"user {somebody.id}")]


def test_two_admins_who_take_each_others_role_leave_one(fresh_database: str) -> None:
    with db.unit_of_work() as session:
        pair = [fresh(make_user(session, roles=(Role.ADMIN,))) for _ in range(2)]

    def take(mine: int) -> bool:
        try:
            with db.unit_of_work() as session:
                people.take_role(session, pair[mine], pair[1 - mine].id, "admin")
        except (RuleBroken, NotAllowed):
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(take, (0, 1)))

    with db.unit_of_work() as session:
        left = session.scalars(select(UserRole).where(UserRole.role == Role.ADMIN)).all()
    assert sorted(done) == [False, True]
    assert len(left) == 1
