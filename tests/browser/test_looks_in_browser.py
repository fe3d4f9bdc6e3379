"""Every page fits a phone, with words of any length, and asks the browser for nothing that the policy forbids."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.running import RunningApp

ENDLESS = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
FINGER = 44
"""Pixels: what a finger hits."""


@pytest.fixture
def javascript() -> bool:
    return True


@pytest.fixture
def long_item(app: RunningApp, page: Page) -> str:
    """The path of an item whose every word is endless, beside one in the trash."""
    long = {"title": ENDLESS, "notes": ENDLESS, "priority": "high", "due": "2020-01-31"}
    _, item = (app.post("/api/v1/work-items", **long) for _ in range(2))
    app.post(f"/api/v1/work-items/{item['id']}/tasks", title=ENDLESS, due="2020-01-31")
    page.reload()
    page.get_by_role("button", name="Delete “").last.click()
    expect(page.locator("#undo")).to_be_visible()
    return f"/work-items/{item['id']}"


@pytest.mark.parametrize("path", ["/", "/?q=none", "ITEM", "/trash", "/no/such/page"])
def test_a_phone_needs_no_sideways_scroll_and_no_small_targets(page: Page, long_item: str, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(long_item if path == "ITEM" else path)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    targets = page.locator("button, input, select, summary, nav a, .item .title").all()
    heights = {target.evaluate("e => e.outerHTML"): target.bounding_box() for target in targets}
    assert [html for html, box in heights.items() if box and box["height"] < FINGER] == []


def test_the_undo_bar_fits_a_phone(page: Page, long_item: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    box = page.locator("#undo").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_only_one_button_of_a_page_is_filled(page: Page, long_item: str) -> None:
    for path in ("/", long_item):
        page.goto(path)
        expect(page.locator("button.primary")).to_have_count(1)


@pytest.mark.parametrize("path", ["/", "ITEM", "/trash"])
def test_a_page_has_no_inline_style_or_script(page: Page, long_item: str, path: str) -> None:
    page.goto(long_item if path == "ITEM" else path)
    assert page.evaluate("document.querySelectorAll('[style], style, script:not([src])').length") == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.evaluate(handlers) == []


def test_the_keyboard_reaches_the_content_first_thing(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_what_a_tick_changed_is_told_to_those_who_cannot_see_it(page: Page, app: RunningApp) -> None:
    item = app.post("/api/v1/work-items", title="Bake")
    app.post(f"/api/v1/work-items/{item['id']}/tasks", title="Flour")
    page.reload()
    page.get_by_role("checkbox", name="Flour").press("Space")
    expect(page.get_by_role("status")).to_have_text("1 of 1 tasks of “Bake” done.")
    expect(page.get_by_role("checkbox", name="Flour")).to_be_focused()


def test_dark_mode_is_dark(browser: Browser, app: RunningApp) -> None:
    page = browser.new_page(base_url=app.url, color_scheme="dark")
    page.goto("/")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 50
