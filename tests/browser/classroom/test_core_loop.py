"""The whole loop in one go: teach, sell, pay, learn, in two browsers on one running school."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.classroom.rooms import EIGHT_SECONDS
from tests.browser.school import School


def test_teach_sell_pay_learn(school: School, browser: Browser) -> None:
    teacher, student = school.visitor(browser), school.visitor(browser)
    school.sign_up(teacher, "Ines Weber", "ines@loop.example", to_teach=True)
    school.confirm("ines@loop.example")
    build(teacher)
    publish(teacher)

    school.sign_up(student, "Sam Rivera", "sam@loop.example")
    student.get_by_label("Search courses").fill("brÉad")
    student.get_by_role("link", name="Bread at home").first.click()
    student.get_by_role("button", name="Expand all").click()
    expect(student.get_by_role("region", name="Outline").get_by_text("Salt")).to_be_visible()
    pay(student)
    watch(student)

    teacher.goto("/studio")
    course = teacher.get_by_role("listitem").filter(has_text="Bread at home")
    expect(course.get_by_role("definition")).to_have_text(["1", "$49"])


def build(page: Page) -> None:
    """By keyboard, then one lesson carried into the other chapter with the mouse."""
    keys = page.keyboard
    page.get_by_label("Name your first course").fill("Bread at home")
    keys.press("Enter")
    page.get_by_label("Name your first chapter").fill("Basics")
    keys.press("Enter")
    add_below(page, "Basics", "Flour")
    keys.press("Enter")
    named(page, "Salt")
    page.get_by_role("button", name="Add chapter").click()
    named(page, "Baking")
    add_below(page, "Baking", "Oven")
    drag(page, "Salt", onto="Oven")
    expect(row(page, "Baking")).to_contain_text("Salt")
    for title in ("Flour", "Oven", "Salt"):
        row(page, title).click()
        expect(page.get_by_label("Title")).to_have_value(title)
        address = f"https://youtu.be/{EIGHT_SECONDS}?t=0"
        page.get_by_label("YouTube address").fill(address)
        page.get_by_label("Text").fill(f"All about **{title.lower()}**.")
        page.get_by_role("checkbox", name="Live").check()
        expect(page.locator(".form-state")).to_contain_text("Saved")


def publish(page: Page) -> None:
    page.get_by_role("button", name="Publish course").click()
    page.get_by_role("button", name="Say in one sentence what it is about").click()
    page.get_by_label("Short description").fill("From flour to loaf.")
    page.get_by_label("Description", exact=True).fill("You will **bake**.")
    page.get_by_label("Price").fill("49")
    expect(page.locator(".form-state")).to_contain_text("Saved")
    page.get_by_role("button", name="Publish course").click()
    expect(page.get_by_text("Your course is on sale.")).to_be_visible()


def pay(page: Page) -> None:
    """At the sandbox's checkout; then the page opens the course by itself, without a reload."""
    page.get_by_role("button", name="Buy for $49").first.click()
    expect(page).to_have_url(re.compile("/sandbox/checkout/"))
    page.get_by_role("main").get_by_role("button", name="Pay $49").click()
    page.wait_for_url(re.compile("/checkout/ord_"))
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=15_000)
    assert loads == []
    page.get_by_role("link", name="Start lesson 1").click()


def watch(page: Page) -> None:
    """Some of it, back later at the same second, to the end, and it counts."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Flour")
    expect(page.get_by_text("All about flour.")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    clock = page.frame_locator("iframe").locator("#shown")
    expect(clock).to_have_text(re.compile(r"^1 [3-9]\."), timeout=15_000)
    page.get_by_role("link", name="My courses").click()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name=re.compile("Resume at 0:0[3-9]")).click()
    expect(page.get_by_text("Lesson complete")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("33 % · 1 of 3")).to_be_visible()


def row(page: Page, title: str) -> Locator:
    own_title = f"> .tree-row > .tree-title:text-is('{title}')"
    return page.locator(f"[role=treeitem]:has({own_title})")


def add_below(page: Page, chapter: str, title: str) -> None:
    """The first lesson of a chapter: down from it is its way to add one."""
    row(page, chapter).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    named(page, title)


def named(page: Page, title: str) -> None:
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    expect(row(page, title)).to_be_visible()


def drag(page: Page, title: str, onto: str) -> None:
    row(page, title).locator(".tree-handle").first.hover()
    page.mouse.down()
    box = row(page, onto).locator(".tree-row").first.bounding_box()
    assert box is not None
    there = box["x"] + 40, box["y"] + box["height"] * 0.8
    page.mouse.move(there[0], there[1] - 12)
    page.mouse.move(*there, steps=6)
    page.wait_for_timeout(200)
    page.mouse.up()
