"""What students say: grouped by the AI, opened to its quotes, made a to-do, told when done."""

from playwright.sync_api import Browser, expect
from sqlalchemy import select

from luma.models.letter import Letter
from tests.browser.assistant.test_summaries import make_taught, opened
from tests.browser.school import School
from tests.services.assistant.voices import answer, make_student, review
from tests.standins.openrouter import OpenRouter

ANSWER = {
    "themes": [
        {
            "kind": "problem",
            "title": "Too fast",
            "claim": "The first lesson <b>goes</b> too fast.",
            "answers": ["~too fast", "~hardly keep up"],
        },
        {"kind": "praise", "title": "A lie", "claim": "All are happy.", "answers": ["a99"]},
    ],
    "suggestions": [
        {"text": "Speak slower in Flour.", "lesson": "~Flour", "answers": ["~hardly keep up"]}
    ],
}


def test_an_analysis_is_read_its_quotes_opened_and_a_to_do_done_and_told(
    school: School, browser: Browser, router: OpenRouter
) -> None:
    with school.session() as session:
        course = make_taught(session)
        bea, tom, li = (make_student(session, course, name) for name in ("Bea L", "Tom O", "Li W"))
        flour = course.chapters[0].lessons[0].id
        review(session, course, bea, 2, "It was too fast for me.")
        answer(session, course, tom, flour, 2, "I could hardly keep up.")
        review(session, course, li, 5, "Good bread.")
        tom_id = tom.id
    router.does({"kind": "analysis", "answer": ANSWER, "pause": 0.02})
    page = opened(school, browser, course)

    page.get_by_role("link", name="Insights").click()
    expect(page.get_by_text("This costs at most")).to_be_visible()
    page.get_by_role("button", name="Analyse with AI").click()
    expect(page.get_by_text("The AI is reading 3 answers.")).to_be_visible()

    theme = page.get_by_role("listitem").filter(has_text="Too fast").first
    expect(theme).to_contain_text("The first lesson <b>goes</b> too fast.")
    expect(theme).to_contain_text("66 % of all answers")
    expect(page.get_by_text("A lie")).to_have_count(0)
    quote = theme.get_by_text("I could hardly keep up.")
    expect(quote).to_be_hidden()
    theme.get_by_text("2 answers").click()
    expect(quote).to_be_visible()

    page.get_by_role("button", name="Make it a to-do “Speak slower in Flour.”").click()
    expect(page.get_by_text("On your list")).to_be_visible()
    page.get_by_role("button", name="Mark as done “Speak slower in Flour.”").click()
    page.get_by_label("You said, we changed").fill("I speak slower now.")
    page.get_by_role("button", name="Tell those students").click()
    expect(page.get_by_text("1 student is told.")).to_be_visible()
    expect(page.get_by_text("Done, and your students know")).to_be_visible()

    with school.session() as session:
        letters = session.scalars(select(Letter).where(Letter.kind == "you-said")).all()
    assert [letter.user_id for letter in letters] == [tom_id]
    assert school.faults() == []


def test_an_answer_out_of_form_is_said_and_shows_nothing(
    school: School, browser: Browser, router: OpenRouter
) -> None:
    with school.session() as session:
        course = make_taught(session)
        for words in ("One thing.", "Another thing.", "A third thing."):
            review(session, course, make_student(session, course), 3, words)
    router.does({"kind": "stream", "text": "All is well."}, {"kind": "stream", "text": "[]"})
    page = opened(school, browser, course, "/insights")

    page.get_by_role("button", name="Analyse with AI").click()

    expect(page.get_by_text("was not in the form LUMA asked for")).to_be_visible()
    expect(page.get_by_role("button", name="Analyse with AI")).to_be_enabled()
    expect(page.get_by_text("All is well.")).to_have_count(0)
    assert school.faults() == []
