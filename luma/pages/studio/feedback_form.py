"""The questions of a course's feedback form: `/studio/{course}/feedback/form`."""

from collections.abc import Mapping

from nicegui import APIRouter, ui
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken
from luma.pages import assets
from luma.pages.feedback import page, said
from luma.pages.layout import frame
from luma.pages.session import act
from luma.pages.shop.render import part
from luma.services import texts
from luma.services.feedback import form
from luma.services.feedback.form import Form, Wording
from luma.values import QuestionKind

router = APIRouter()

STALE = "Load the page again and try once more."

SEND_QUESTION = """(event) => {
    event.preventDefault();
    const {elements, dataset} = event.target;
    emit({
        act: "write", question: dataset.question, kind: elements.kind.value,
        prompt: elements.prompt.value, options: elements.options.value,
        required: elements.required.checked,
    });
}"""
# The part is drawn again after each change; what was pressed keeps the focus.
SEND_PRESS = """(event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const {act, key, question, place} = button.dataset;
    const watch = new MutationObserver(() => {
        watch.disconnect();
        document.querySelector(`[data-key="${key}"]`)?.focus();
    });
    watch.observe(document.querySelector(".questions").parentElement, {childList: true});
    setTimeout(() => watch.disconnect(), 4000);
    emit({act, question, place: Number(place)});
}"""


@page(router, "/studio/{course}/feedback/form", "Feedback form")
async def questions(course: str) -> None:
    found = await act(form.form, course)
    ui.add_head_html(assets.tag("studio.css"))
    with frame(f"Feedback form · {found.title}"):
        Questions(found.course).draw(found)


class Questions:
    """The list and a form for each, as one element."""

    def __init__(self, course: str) -> None:
        self.course = course

    def draw(self, found: Form) -> None:
        self.list = ui.html(_drawn(found), sanitize=False)
        self.list.on("submit", self._do, js_handler=SEND_QUESTION)
        self.list.on("click", self._do, js_handler=SEND_PRESS)

    async def _do(self, event: GenericEventArguments) -> None:
        wish = event.args if isinstance(event.args, Mapping) else {}
        match wish.get("act"):
            case "write":
                await self._write(wish)
            case "move":
                await act(form.move, self.course, wish.get("question"), wish.get("place"))
            case "remove":
                await act(form.remove, self.course, wish.get("question"))
            case _:
                raise RuleBroken(STALE)
        self.list.set_content(_drawn(await act(form.form, self.course)))

    async def _write(self, wish: Mapping[str, object]) -> None:
        wording = Wording.read(wish.get("kind"), wish.get("prompt"), wish.get("options"))
        required = texts.flag(wish.get("required"), "Whether it must be answered")
        question = wish.get("question")
        if question:
            await act(form.change, self.course, question, wording, required=required)
        else:
            await act(form.add, self.course, wording, required=required)
        said("The question is saved.")


def _drawn(found: Form) -> str:
    request = ui.context.client.request
    kinds = (
        (QuestionKind.SCALE, "From 1 to 5"),
        (QuestionKind.CHOICE, "One of several answers"),
        (QuestionKind.TEXT, "In their own words"),
    )
    return part(request, "studio_questions.html.j2", form=found, kinds=kinds, most=form.MOST)
