"""Each service that a page calls in somebody's name: with whose things, and who may."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql.ranges import MultiRange

from luma.services.accounts import Visit
from luma.services.assistant.analysis import Asked, Found
from luma.services.assistant.asking import Call
from luma.services.assistant.summaries import Begun
from luma.services.covers import Cover
from luma.services.feedback.form import Wording
from luma.services.feedback.results import Wish
from luma.services.gateways.ai import Question
from luma.services.learning_reports import Report
from luma.services.money.sales import Asked as SalesAsked
from luma.values import LetterStatus, QuestionKind
from tests.factories import password_hash
from tests.matrix.world import ADMIN, OWNER, RIVAL, ROLES, STRANGER, STUDENT, World

Arguments = Callable[[World], tuple[object, ...]]

EVERYONE = frozenset(ROLES)
NOBODY: frozenset[str] = frozenset()
TEACHERS = frozenset({OWNER, RIVAL})
ADMINS = frozenset({ADMIN})
ITS_OWNER = frozenset({OWNER})
ITS_STUDENT = frozenset({STUDENT})
ITS_SELLERS = frozenset({OWNER, ADMIN})


@dataclass(frozen=True)
class Case:
    """`arguments` name things of the owner or the student. Who is not allowed must be refused;
    nobody's answer holds what is marked as another's."""

    allowed: frozenset[str]
    arguments: Arguments = lambda _: ()
    named: Mapping[str, object] | None = None
    of_a_sale: bool = False


NOTHING_FOUND = Found(themes=[], suggestions=[])
ASKED = Wording(QuestionKind.TEXT, "Why?", ())
PICTURE = Cover(b"RIFF", 16, 9)
WATCHED = Report(5, MultiRange([Range(0, 5)]), 600, 0)


def asked(world: World) -> Asked:
    return Asked(Call(world.ai_call, Question("", "", 1)), {}, {}, 1)


def begun(world: World) -> Begun:
    return Begun(Call(world.ai_call, Question("", "", 1)), "", 0)


CASES: dict[str, tuple[Case, ...]] = {
    # Oneself
    "accounts.begin_teaching": (Case(EVERYONE),),
    "accounts.change_password": (
        Case(EVERYONE, lambda _: (password_hash(), Visit("192.0.2.1", "Firefox"))),
    ),
    "addresses.ask_to_change": (Case(EVERYONE, lambda _: ("new@example.org",)),),
    "addresses.ask_to_verify": (Case(EVERYONE),),
    "addresses.forget_change": (Case(EVERYONE),),
    "addresses.standing": (Case(EVERYONE),),
    "identities.of": (Case(EVERYONE),),
    "identities.unlink": (Case(EVERYONE),),
    "identity_visits.begin_again": (
        Case(EVERYONE, lambda _: ("browser", "/account", "192.0.2.1")),
    ),
    "identity_visits.begin_linking": (
        Case(EVERYONE, lambda _: ("nobody", "browser", "192.0.2.1")),
    ),
    "leaving.consequences": (Case(EVERYONE),),
    "leaving.leave": (Case(EVERYONE, named={"is_sure": False}),),
    "my_data.begin": (Case(EVERYONE),),
    "my_data.tables": (Case(EVERYONE),),
    "portraits.put": (Case(EVERYONE, lambda _: (PICTURE,)),),
    "portraits.remove": (Case(EVERYONE),),
    "profiles.mine": (Case(EVERYONE),),
    "profiles.save": (Case(EVERYONE, lambda _: ("New name", "About me")),),
    "proofs.ensure_proved": (Case(EVERYONE),),
    "proofs.prove": (Case(EVERYONE),),
    "proofs.prove_by_code": (Case(EVERYONE, lambda _: ("123456",)),),
    "proofs.ways": (Case(EVERYONE),),
    "second_factor.before_change": (Case(EVERYONE),),
    "second_factor.begin": (Case(EVERYONE),),
    "second_factor.begun": (Case(EVERYONE),),
    "second_factor.confirm": (Case(EVERYONE, lambda _: ("123456",)),),
    "second_factor.count_try": (Case(EVERYONE),),
    "second_factor.is_wanted": (Case(EVERYONE),),
    "second_factor.renew_codes": (Case(EVERYONE),),
    "second_factor.state": (Case(EVERYONE),),
    "second_factor.turn_off": (Case(EVERYONE, lambda _: ("123456",)),),
    "sessions.end": (Case(ITS_STUDENT, lambda w: (w.student_session,)),),
    "sessions.end_others": (Case(EVERYONE),),
    "sessions.mine": (Case(EVERYONE),),
    # Buying
    "money.checkout.enrol_free": (
        Case(EVERYONE, lambda w: (w.free_slug,)),
        Case(NOBODY, lambda w: (w.draft_slug,)),
    ),
    "money.coupons.create": (
        Case(TEACHERS, lambda _: ({"off": "20"},)),
        Case(ITS_OWNER, lambda w: ({"off": "20", "course": w.course},)),
    ),
    "money.coupons.create_for_school": (Case(ADMINS, lambda _: ({"off": "20"},)),),
    "money.coupons.end": (Case(frozenset({OWNER, ADMIN}), lambda w: (w.coupon,)),),
    "money.coupons.mine": (Case(TEACHERS),),
    "money.coupons.of_school": (Case(ADMINS),),
    "money.desk.ensure_runs_school": (Case(ADMINS),),
    "money.desk.found": (Case(ADMINS, lambda _: ("", "all", 50)),),
    "money.desk.give_access": (Case(ITS_SELLERS, lambda w: (w.order, "Because")),),
    "money.desk.resend_access": (Case(ITS_SELLERS, lambda w: (w.order,)),),
    "money.desk.sale": (Case(ITS_SELLERS, lambda w: (w.order,), of_a_sale=True),),
    "money.desk.take_access": (Case(ITS_SELLERS, lambda w: (w.order, "Because")),),
    "money.evidence.evidence": (Case(ITS_SELLERS, lambda w: (w.order,), of_a_sale=True),),
    "money.orders.mine": (Case(EVERYONE),),
    "money.orders.order": (Case(ITS_STUDENT, lambda w: (w.order,)),),
    "money.orders.status": (Case(ITS_STUDENT, lambda w: (w.order,)),),
    "money.payments_health.health": (Case(ADMINS),),
    "money.timeline.came_back": (Case(ITS_STUDENT, lambda w: (w.order,)),),
    "money.timeline.of": (Case(frozenset({STUDENT, OWNER, ADMIN}), lambda w: (w.order,)),),
    "money.refunds.ask": (Case(ITS_SELLERS, lambda w: (w.order, "", "Because")),),
    "money.receipts.receipt": (Case(NOBODY, lambda w: (w.order,)),),
    "money.refunds.claim": (Case(ITS_STUDENT, lambda w: (w.order, "Not for me.")),),
    "money.refunds.promise": (Case(ITS_STUDENT, lambda w: (w.order,)),),
    "money.rehearsal.begin": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "money.rehearsal_steps.look": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "money.sandbox_desk.archive": (Case(NOBODY, lambda _: ("cs_sbx_1",)),),
    "money.sandbox_record.recent": (Case(TEACHERS | ADMINS),),
    # Learning
    "learning.classroom": (
        Case(EVERYONE, lambda w: (w.slug, w.lesson)),
        Case(ITS_OWNER, lambda w: (w.slug, w.draft_lesson)),
        Case(NOBODY, lambda w: (w.draft_slug, w.lesson)),
    ),
    "learning.open_lesson": (
        Case(EVERYONE, lambda w: (w.lesson,)),
        Case(ITS_OWNER, lambda w: (w.draft_lesson,)),
    ),
    "learning.complete_lesson": (Case(ITS_STUDENT, lambda w: (w.lesson,)),),
    "learning.take_back": (Case(ITS_STUDENT, lambda w: (w.lesson,)),),
    "learning.note_position": (Case(ITS_STUDENT, lambda w: (w.lesson, WATCHED)),),
    "learning_outline.continuation": (
        Case(EVERYONE, lambda w: (w.slug,)),
        Case(ITS_OWNER, lambda w: (w.draft_slug,)),
    ),
    "learning_outline.my_courses": (Case(EVERYONE),),
    # Reviews
    "reviews.mine": (Case(ITS_STUDENT, lambda w: (w.slug,)),),
    "reviews.put_off": (Case(EVERYONE, lambda w: (w.slug,)),),
    "reviews.remove": (Case(EVERYONE, lambda w: (w.slug,)),),
    "reviews.write": (Case(ITS_STUDENT, lambda w: (w.slug, 5, "Good")),),
    "review_reactions.find": (Case(EVERYONE, lambda w: (w.review,)),),
    "review_reactions.reply": (Case(ITS_OWNER, lambda w: (w.review, "Thank you")),),
    "review_reactions.report": (Case(EVERYONE, lambda w: (w.review, "spam", "")),),
    "review_reactions.vote": (Case(EVERYONE, lambda w: (w.review,), {"helpful": True}),),
    "feedback.sheets.answer": (Case(ITS_STUDENT, lambda w: (w.slug, {}), {"anonymous": True}),),
    "feedback.sheets.sheet": (
        Case(ITS_STUDENT, lambda w: (w.slug,)),
        Case(ITS_STUDENT, lambda w: (w.lesson,)),
    ),
    "money.payees.begin": (Case(TEACHERS),),
    "money.payees.come_back": (Case(TEACHERS),),
    "money.payees.connection": (Case(TEACHERS),),
    "money.hand_payouts.debts": (Case(ADMINS),),
    "money.hand_payouts.mark_paid": (
        Case(ADMINS, lambda w: (f"{w.people[OWNER].id}:sandbox:usd", "1.00", "By bank")),
    ),
    "money.outside_transfers.foreign": (Case(ADMINS),),
    "money.stopped_transfers.stopped": (Case(ADMINS),),
    "money.stopped_transfers.try_again": (Case(ADMINS, lambda _: ("1",)),),
    "money.payouts.mine": (Case(TEACHERS, lambda _: (25,)),),
    "money.hand_payouts.table": (Case(ADMINS),),
    "money.sales.mine": (Case(TEACHERS, lambda _: (SalesAsked(), 25)),),
    "money.sales.my_rows": (Case(TEACHERS, lambda _: (SalesAsked(), None)),),
    "money.sales.school": (Case(ADMINS, lambda _: (SalesAsked(), 25)),),
    "money.sales.school_rows": (Case(ADMINS, lambda _: (SalesAsked(), None)),),
    # The studio
    "course_list.mine": (Case(TEACHERS),),
    "studio.create": (Case(TEACHERS, lambda _: ("New",)),),
    "studio.sheet": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "studio.checklist": (Case(ITS_OWNER, lambda w: (w.draft,)),),
    "studio.update": (Case(ITS_OWNER, lambda w: (w.course, 1, {"title": "Stolen"})),),
    "studio.publish": (Case(ITS_OWNER, lambda w: (w.draft,)),),
    "studio.unpublish": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "studio.delete": (Case(ITS_OWNER, lambda w: (w.empty,)),),
    "studio.deleted_title": (Case(ITS_OWNER, lambda w: (w.deleted,)),),
    "studio.restore": (Case(ITS_OWNER, lambda w: (w.deleted,)),),
    "covers.put": (Case(ITS_OWNER, lambda w: (w.course, PICTURE)),),
    "covers.remove": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.analysis.begin": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.analysis.keep": (Case(ITS_OWNER, lambda w: (w.course, asked(w), NOTHING_FOUND)),),
    "assistant.insights.insights": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.todos.finish": (Case(ITS_OWNER, lambda w: (w.course, w.todo)),),
    "assistant.todos.make": (
        Case(ITS_OWNER, lambda w: (w.course, w.analysis, 0)),
        Case(NOBODY, lambda w: (w.draft, w.analysis, 0)),
    ),
    "assistant.todos.remove": (Case(ITS_OWNER, lambda w: (w.course, w.todo)),),
    "assistant.todos.reopen": (Case(ITS_OWNER, lambda w: (w.course, w.todo)),),
    "assistant.todos.tell": (
        Case(ITS_OWNER, lambda w: (w.course, w.todo, "Less water")),
        Case(NOBODY, lambda w: (w.draft, w.todo, "Less water")),
    ),
    "assistant.summaries.approve": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, 0, "Mine")),),
    "assistant.summaries.begin": (Case(ITS_OWNER, lambda w: (w.course, w.lesson)),),
    "assistant.summaries.discard": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, 0)),),
    "assistant.summaries.edit": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, 0, "Mine")),),
    "assistant.summaries.extract": (Case(ITS_OWNER, lambda w: (w.course, w.lesson)),),
    "assistant.summaries.keep": (
        Case(ITS_OWNER, lambda w: (w.course, w.lesson, begun(w), "Mine")),
    ),
    "assistant.summaries.panel": (Case(ITS_OWNER, lambda w: (w.course, w.lesson)),),
    "assistant.summaries.withdraw": (Case(ITS_OWNER, lambda w: (w.course, w.lesson)),),
    "assistant.summary_list.latest_run": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.summary_list.overview": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.summary_runs.cancel": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "assistant.summary_runs.start": (
        Case(ITS_OWNER, lambda w: (w.course, [w.lesson]), {"ai": False}),
    ),
    "feedback.form.add": (Case(ITS_OWNER, lambda w: (w.course, ASKED), {"required": False}),),
    "feedback.form.change": (
        Case(ITS_OWNER, lambda w: (w.course, w.question, ASKED), {"required": False}),
    ),
    "feedback.form.form": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "feedback.form.move": (Case(ITS_OWNER, lambda w: (w.course, w.question, 1)),),
    "feedback.form.remove": (Case(ITS_OWNER, lambda w: (w.course, w.question)),),
    "feedback.results.results": (Case(ITS_OWNER, lambda w: (w.course, Wish())),),
    "feedback.table.table": (Case(ITS_OWNER, lambda w: (w.course, Wish())),),
    "lessons.sheet": (Case(ITS_OWNER, lambda w: (w.course, w.draft_lesson)),),
    "lessons.update": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, 1, {"title": "Stolen"})),),
    "outline.tree": (Case(ITS_OWNER, lambda w: (w.course,)),),
    "outline.add_chapter": (Case(ITS_OWNER, lambda w: (w.course, "Stolen", None)),),
    "outline.add_lesson": (Case(ITS_OWNER, lambda w: (w.course, "Stolen", w.chapter, None)),),
    "outline.move_chapter": (Case(ITS_OWNER, lambda w: (w.course, w.chapter, 0)),),
    "outline.move_lesson": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, w.chapter, 1)),),
    "outline.remove_chapter": (Case(ITS_OWNER, lambda w: (w.draft, w.draft_chapter)),),
    "outline.remove_lesson": (Case(ITS_OWNER, lambda w: (w.course, w.lesson)),),
    "outline.rename_chapter": (Case(ITS_OWNER, lambda w: (w.course, w.chapter, "Stolen")),),
    "outline.rename_lesson": (Case(ITS_OWNER, lambda w: (w.course, w.lesson, "Stolen")),),
    "outline.restore_chapter": (Case(ITS_OWNER, lambda w: (w.course, w.removed_chapter)),),
    "outline.restore_lesson": (Case(ITS_OWNER, lambda w: (w.course, w.removed_lesson)),),
    # Whoever runs the school
    "admin.configuration.in_force": (Case(ADMINS),),
    "admin.courses.found": (Case(ADMINS, lambda _: ("", "all", 50)),),
    "admin.courses.hide": (Case(ADMINS, lambda w: (w.course, "Because")),),
    "admin.courses.unhide": (Case(ADMINS, lambda w: (w.course,)),),
    "admin.jobs.apply_again": (Case(ADMINS, lambda w: (w.event,)),),
    "admin.jobs.failures": (Case(ADMINS),),
    "admin.jobs.put_away": (Case(ADMINS, lambda w: (w.job,)),),
    "admin.jobs.run_again": (Case(ADMINS, lambda w: (w.job,)),),
    "admin.log.entries": (Case(ADMINS, lambda _: ("", "", 50)),),
    "admin.overview.overview": (Case(ADMINS),),
    "admin.people.disable": (Case(ADMINS, lambda w: (w.people[STRANGER].id, "Because")),),
    "admin.people.enable": (Case(ADMINS, lambda w: (w.people[STRANGER].id,)),),
    "admin.people.found": (Case(ADMINS, lambda _: ("", 50)),),
    "admin.people.grant_role": (Case(ADMINS, lambda w: (w.people[STRANGER].id, "admin")),),
    "admin.people.sign_out": (Case(ADMINS, lambda w: (w.people[STRANGER].id,)),),
    "admin.people.take_role": (Case(ADMINS, lambda w: (w.people[OWNER].id, "instructor")),),
    "admin.people.verify_again": (Case(ADMINS, lambda w: (w.people[STRANGER].id,)),),
    "assistant.budget.spending": (Case(ADMINS),),
    "post.mailbox.letter": (Case(ADMINS, lambda w: (w.letter,)),),
    "post.mailbox.letters": (Case(ADMINS, lambda _: (LetterStatus.WAITING,)),),
    "post.mailbox.send_again": (Case(ADMINS, lambda w: (w.letter,)),),
    "review_desk.dismiss": (Case(ADMINS, lambda w: (w.review,)),),
    "review_desk.hide": (Case(ADMINS, lambda w: (w.review, "Because")),),
    "review_desk.reported": (Case(ADMINS),),
    "review_desk.show_again": (Case(ADMINS, lambda w: (w.review,)),),
}
"""To a new service that pages act through belongs a line here."""
