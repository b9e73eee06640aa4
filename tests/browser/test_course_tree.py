"""The outline in a real browser, on a page of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.browser.tree_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@dataclass
class Tree:
    page: Page
    server: str

    def open(self, wish: str = "") -> "Tree":
        self.page.goto(f"{self.server}/?{wish}")
        self.page.locator(".tree").wait_for()
        return self

    def row(self, title: str) -> Locator:
        own_title = f"> .tree-row > .tree-title:text-is('{title}')"
        return self.page.locator(f"[role=treeitem]:has({own_title})")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def typed(self, text: str, end: str = "Enter") -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press(end)

    def shown(self) -> dict[str, list[str]]:
        """Chapters and their lessons, as a person reads them."""
        chapters = self.page.locator(".tree-chapter")
        read = """all => all.map(li => [
            li.querySelector('.tree-title').textContent,
            [...li.querySelectorAll('.tree-lesson .tree-title')].map(t => t.textContent)])"""
        return dict(chapters.evaluate_all(read))

    def kept(self) -> dict[str, Any]:
        return dict(json.loads(self.page.request.get(f"{self.server}/outline").text()))

    def agrees(self, expected: dict[str, list[str]]) -> None:
        """Shown to the person at once, and soon kept by the server."""
        assert self.shown() == expected
        for _ in range(100):
            if self.kept()["outline"] == expected:
                break
            self.page.wait_for_timeout(50)
        assert self.kept()["outline"] == expected
        assert self.shown() == expected

    def kept_soon(self, log: list[str]) -> None:
        for _ in range(100):
            if self.kept()["log"] == log:
                break
            self.page.wait_for_timeout(50)
        assert self.kept()["log"] == log

    def focused(self) -> str:
        title = "document.activeElement.querySelector('.tree-title')?.textContent ?? ''"
        return str(self.page.evaluate(title))

    def grab(self, title: str) -> None:
        self.row(title).locator(".tree-handle").first.hover()
        self.page.mouse.down()

    def carry(self, x: float, y: float) -> None:
        self.page.mouse.move(x, y - 12)
        self.page.mouse.move(x, y, steps=6)
        self.page.wait_for_timeout(200)

    def carry_over(self, title: str, *, part: float) -> None:
        """To a place inside a row: 0.2 is its upper edge, 0.8 its lower one."""
        box = self.row(title).locator(".tree-row").first.bounding_box()
        assert box is not None
        self.carry(box["x"] + 40, box["y"] + box["height"] * part)


@pytest.fixture
def tree(browser: Browser, server: str) -> Iterator[Tree]:
    page = browser.new_page(viewport={"width": 900, "height": 700})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield Tree(page, server)
    page.close()
    assert faults == []


ONE = ["Lesson 1.0", "Lesson 1.1", "Lesson 1.2", "Lesson 1.3"]
TWO = ["Lesson 2.0", "Lesson 2.1", "Lesson 2.2", "Lesson 2.3"]


def test_a_course_is_built_from_nothing_by_keyboard(tree: Tree) -> None:
    tree.open("empty")

    tree.page.get_by_label("Name your first chapter").focus()
    tree.typed("Basics")
    expect(tree.row("Basics")).to_be_focused()
    tree.press("ArrowDown", "Enter")
    tree.typed("Flour")
    tree.press("Enter")
    tree.typed("Water")
    tree.press("ArrowLeft", "Enter")
    tree.typed("Oven")

    tree.agrees({"Basics": ["Flour", "Water"], "Oven": []})
    assert tree.focused() == "Oven"


def test_changes_made_before_the_server_answers_are_kept_in_order(tree: Tree) -> None:
    tree.open("empty&slow")

    tree.page.get_by_label("Name your first chapter").focus()
    tree.typed("Basics")
    tree.press("ArrowDown", "Enter")
    tree.typed("Flour")
    tree.press("Enter")
    tree.typed("Water")
    tree.press("Alt+ArrowUp", "F2")
    tree.typed("Salt")

    tree.agrees({"Basics": ["Salt", "Flour"]})


def test_arrow_keys_walk_open_and_close(tree: Tree) -> None:
    tree.open().row("Chapter 1").focus()

    tree.press("ArrowLeft", "ArrowDown")
    assert tree.focused() == "Chapter 2"
    tree.press("ArrowUp", "ArrowRight", "ArrowRight")
    assert tree.focused() == "Lesson 1.0"
    tree.press("ArrowLeft")
    assert tree.focused() == "Chapter 1"
    tree.press("End", "ArrowUp")
    assert tree.focused() == "Lesson 2.3"
    tree.press("Home")

    assert tree.focused() == "Chapter 1"


def test_tab_leaves_the_tree(tree: Tree) -> None:
    tree.open().row("Lesson 1.2").focus()

    tree.press("Tab")

    expect(tree.page.get_by_role("button", name="Add chapter")).to_be_focused()


def test_alt_and_arrows_move_a_lesson_past_the_edge_into_the_next_chapter(tree: Tree) -> None:
    tree.open().row("Chapter 2").focus()
    tree.press("ArrowLeft")
    tree.row("Lesson 1.2").focus()

    tree.press("Alt+ArrowDown", "Alt+ArrowDown", "Alt+ArrowDown")

    tree.agrees(
        {
            "Chapter 1": ["Lesson 1.0", "Lesson 1.1", "Lesson 1.3"],
            "Chapter 2": ["Lesson 2.0", "Lesson 1.2", *TWO[1:]],
        }
    )
    expect(tree.row("Lesson 1.2")).to_be_focused()
    expect(tree.page.get_by_role("status")).to_have_text("Lesson 1.2 moved to Chapter 2, 2 of 5.")


def test_alt_and_up_moves_a_lesson_to_the_end_of_the_chapter_before(tree: Tree) -> None:
    tree.open().row("Lesson 2.0").focus()

    tree.press("Alt+ArrowUp")

    tree.agrees({"Chapter 1": [*ONE, "Lesson 2.0"], "Chapter 2": TWO[1:]})


def test_alt_and_arrows_move_a_chapter(tree: Tree) -> None:
    tree.open().row("Chapter 2").focus()

    tree.press("Alt+ArrowUp", "Alt+ArrowUp")

    tree.agrees({"Chapter 2": TWO, "Chapter 1": ONE})
    assert tree.focused() == "Chapter 2"


def test_enter_keeps_a_new_name_and_escape_drops_it(tree: Tree) -> None:
    tree.open().row("Lesson 1.1").focus()

    tree.press("F2")
    expect(tree.page.get_by_role("textbox")).to_have_value("Lesson 1.1")
    tree.typed("  Kneading   dough ")
    tree.press("ArrowDown", "F2")
    tree.typed("Nonsense", end="Escape")

    tree.agrees({"Chapter 1": ["Lesson 1.0", "Kneading dough", *ONE[2:]], "Chapter 2": TWO})
    assert tree.focused() == "Lesson 1.2"


def test_a_double_click_renames_and_leaving_the_field_keeps_the_name(tree: Tree) -> None:
    tree.open().row("Chapter 2").locator(".tree-title").first.dblclick()

    tree.page.keyboard.type("Ovens")
    tree.row("Lesson 1.0").click()

    tree.agrees({"Chapter 1": ONE, "Ovens": TWO})


def test_what_is_typed_survives_a_pointer_that_wanders_over_the_row(tree: Tree) -> None:
    tree.open().row("Lesson 1.1").focus()
    tree.press("F2")
    tree.page.keyboard.type("Half a na")

    tree.row("Lesson 1.2").hover()
    tree.page.get_by_role("textbox").hover()
    tree.typed("me")

    tree.agrees({"Chapter 1": ["Lesson 1.0", "Half a name", *ONE[2:]], "Chapter 2": TWO})


def test_a_new_lesson_without_a_name_is_dropped(tree: Tree) -> None:
    tree.open().row("Lesson 1.1").focus()

    tree.press("Enter", "Enter")

    tree.agrees({"Chapter 1": ONE, "Chapter 2": TWO})
    assert tree.focused() == "Lesson 1.1"


def test_delete_removes_and_the_next_one_has_the_focus(tree: Tree) -> None:
    tree.open().row("Lesson 1.1").focus()

    tree.press("Delete")
    assert tree.focused() == "Lesson 1.2"
    tree.row("Chapter 2").focus()
    tree.press("Delete")

    tree.agrees({"Chapter 1": ["Lesson 1.0", *ONE[2:]]})
    assert tree.focused() == "Chapter 1"


def test_space_opens_a_lesson(tree: Tree) -> None:
    tree.open().row("Lesson 2.1").focus()

    tree.press("Space")

    expect(tree.row("Lesson 2.1")).to_have_attribute("aria-selected", "true")
    tree.kept_soon(["pick les_2_1"])


def test_a_lesson_is_dragged_into_another_chapter(tree: Tree) -> None:
    tree.open().grab("Lesson 2.2")

    tree.carry_over("Lesson 1.1", part=0.25)
    tree.page.mouse.up()

    tree.agrees(
        {
            "Chapter 1": ["Lesson 1.0", "Lesson 2.2", *ONE[1:]],
            "Chapter 2": ["Lesson 2.0", "Lesson 2.1", "Lesson 2.3"],
        }
    )
    expect(tree.row("Lesson 2.2")).to_be_focused()


def test_a_lesson_is_dragged_down_into_an_empty_chapter(tree: Tree) -> None:
    tree.open().page.get_by_role("button", name="Add chapter").click()
    tree.typed("Empty")
    tree.grab("Lesson 1.0")

    box = tree.row("Empty").locator(".tree-tail").bounding_box()
    assert box is not None
    tree.carry(box["x"] + 60, box["y"] + 20)
    tree.page.mouse.up()

    tree.agrees({"Chapter 1": ONE[1:], "Chapter 2": TWO, "Empty": ["Lesson 1.0"]})


def test_a_chapter_is_dragged(tree: Tree) -> None:
    tree.open().grab("Chapter 2")

    tree.carry_over("Chapter 1", part=0.2)
    tree.page.mouse.up()

    tree.agrees({"Chapter 2": TWO, "Chapter 1": ONE})


def test_only_the_handle_drags(tree: Tree) -> None:
    tree.open().row("Lesson 2.2").locator(".tree-title").hover()
    tree.page.mouse.down()

    tree.carry_over("Lesson 1.1", part=0.25)
    tree.page.mouse.up()

    tree.agrees({"Chapter 1": ONE, "Chapter 2": TWO})


def test_escape_cancels_a_drag(tree: Tree) -> None:
    tree.open().grab("Lesson 2.2")
    tree.carry_over("Lesson 1.1", part=0.25)

    tree.press("Escape")
    tree.page.mouse.up()

    tree.agrees({"Chapter 1": ONE, "Chapter 2": TWO})
    expect(tree.page.locator(".tree-ghost")).to_have_count(0)
    expect(tree.page.get_by_role("status")).to_have_text("Move cancelled.")


def test_a_closed_chapter_opens_under_a_held_lesson(tree: Tree) -> None:
    tree.open().row("Chapter 2").focus()
    tree.press("ArrowLeft")
    tree.grab("Lesson 1.0")

    tree.carry_over("Chapter 2", part=0.5)
    expect(tree.row("Lesson 2.1")).to_be_visible()
    tree.carry_over("Lesson 2.1", part=0.25)
    tree.page.mouse.up()

    shown = tree.shown()
    assert shown["Chapter 1"] == ONE[1:]
    assert sorted(shown["Chapter 2"]) == ["Lesson 1.0", *TWO]
    tree.agrees(shown)


def test_the_page_scrolls_when_a_lesson_is_held_at_its_edge(tree: Tree) -> None:
    tree.open("size=600").grab("Lesson 1.0")

    tree.carry(60, 690)
    tree.page.wait_for_function("scrollY > 400")
    tree.page.mouse.up()

    moved = tree.shown()["Chapter 1"].index("Lesson 1.0")
    assert moved > 20


def test_a_refused_change_is_taken_back_and_said(tree: Tree) -> None:
    tree.open("refuse&slow").row("Lesson 1.1").focus()

    tree.press("Alt+ArrowDown")
    assert tree.shown()["Chapter 1"] == ["Lesson 1.0", "Lesson 1.2", "Lesson 1.1", "Lesson 1.3"]
    tree.press("F2")
    tree.page.keyboard.type("Being typed")
    expect(tree.page.get_by_text("Not today.").first).to_be_visible()

    expect(tree.page.get_by_role("textbox")).to_have_value("Being typed")
    tree.press("Escape")
    tree.agrees({"Chapter 1": ONE, "Chapter 2": TWO})


def test_a_finger_moves_a_lesson_by_its_handle(browser: Browser, server: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    tree = Tree(context.new_page(), server).open()
    start = tree.row("Lesson 1.0").locator(".tree-handle").bounding_box()
    end = tree.row("Lesson 2.1").bounding_box()
    assert start is not None
    assert end is not None
    finger = context.new_cdp_session(tree.page)

    def touch(kind: str, *, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": start["x"] + 20, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", y=start["y"] + 20)
    for step in range(1, 11):
        touch("touchMove", y=start["y"] + (end["y"] + 30 - start["y"]) * step / 10)
        tree.page.wait_for_timeout(30)
    tree.page.wait_for_timeout(200)
    touch("touchEnd", y=0)

    assert start["width"] >= 44
    assert start["height"] >= 44
    tree.agrees({"Chapter 1": ONE[1:], "Chapter 2": [*TWO[:2], "Lesson 1.0", *TWO[2:]]})
    context.close()


def test_a_tapped_row_offers_to_rename_and_to_remove_it(browser: Browser, server: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    tree = Tree(context.new_page(), server).open()

    tree.row("Lesson 1.1").tap()
    tree.row("Lesson 1.1").get_by_role("button", name="Rename").tap()
    tree.typed("Tapped")
    tree.row("Lesson 1.2").tap()
    tree.row("Lesson 1.2").get_by_role("button", name="Remove").tap()

    tree.agrees({"Chapter 1": ["Lesson 1.0", "Tapped", "Lesson 1.3"], "Chapter 2": TWO})
    context.close()
