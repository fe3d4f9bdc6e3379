"""Two tabs at one work item: nothing is overwritten silently, and what was typed stays, with JavaScript and without."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched_page
from tests.browser.running import RunningApp, running_app

EMAIL, PASSWORD = "ann@example.com", "a long enough one"


@pytest.fixture(scope="module")
def locked_app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app"), ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as app:
        yield app


@pytest.fixture
def locked_page(browser: Browser, locked_app: RunningApp, javascript: bool) -> Iterator[Page]:
    locked_app.empty()
    yield from watched_page(browser, locked_app, java_script_enabled=javascript)


def two_tabs(page: Page) -> tuple[Page, Page]:
    """Both at the page of a new work item."""
    page.get_by_label("New work item").fill("Garden")
    page.get_by_label("New work item").press("Enter")
    page.get_by_role("link", name="Garden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Garden")
    other = page.context.new_page()
    other.goto(page.url)
    return page, other


def save(page: Page) -> None:
    page.locator("#details").get_by_role("button", name="Save").click()
    expect(page.locator("#said")).not_to_be_empty()


def save_in_vain(page: Page) -> None:
    page.locator("#details").get_by_role("button", name="Save").click()
    expect(page.locator("#details .complaint")).to_have_text("This was changed meanwhile. Save again to keep yours.")


def test_other_fields_are_left_as_the_other_tab_saved_them(page: Page) -> None:
    mine, other = two_tabs(page)
    other.get_by_label("Notes").fill("theirs")
    other.get_by_label("Priority").select_option("high")
    save(other)
    mine.get_by_label("Title").fill("The garden")
    save(mine)
    expect(mine.get_by_role("heading", level=1)).to_have_text("The garden")
    expect(mine.get_by_label("Notes")).to_have_value("theirs")
    expect(mine.get_by_label("Priority")).to_have_value("high")


def test_the_same_field_shows_both_texts_and_saved_again_keeps_mine(page: Page) -> None:
    mine, other = two_tabs(page)
    other.get_by_label("Notes").fill("theirs")
    save(other)
    mine.get_by_label("Notes").fill("mine")
    save_in_vain(mine)
    expect(mine.locator("#details .there")).to_have_text("theirs")
    expect(mine.get_by_label("Notes")).to_have_value("mine")
    expect(mine.get_by_label("Notes")).to_be_focused()
    save(mine)
    expect(mine.locator(".there")).to_have_count(0)
    mine.reload()
    expect(mine.get_by_label("Notes")).to_have_value("mine")


@pytest.mark.parametrize("javascript", [True], ids=["JavaScript"])  # without it every change is a new page
def test_a_change_elsewhere_on_the_page_neither_takes_what_is_half_typed_nor_hides_that_both_changed_it(
    page: Page,
) -> None:
    mine, other = two_tabs(page)
    mine.get_by_label("Notes").fill("half typed")
    other.get_by_label("Notes").fill("theirs")
    save(other)
    for again in (False, True):  # once refused, the form keeps what it holds as before
        mine.get_by_label("New task").fill("rake")
        mine.get_by_label("New task").press("Enter")
        expect(mine.locator("#tasks > li")).to_have_count(1 + again)
        expect(mine.get_by_label("Notes")).to_have_value("half typed")
        save_in_vain(mine) if not again else save(mine)


def test_a_task_that_both_tabs_changed_stays_open_with_both_texts(page: Page) -> None:
    page, other = two_tabs(page)
    page.get_by_label("New task").fill("rake")
    page.get_by_label("New task").press("Enter")
    expect(page.locator("#tasks > li")).to_have_count(1)
    other.reload()
    for tab, title in ((other, "theirs"), (page, "mine")):
        tab.locator("#tasks summary").click()
        tab.locator("#tasks").get_by_label("Task").fill(title)
        tab.locator("#tasks").get_by_role("button", name="Save").click()
        expect(tab.locator("main")).to_contain_text("theirs")
    expect(page.locator("#tasks .there")).to_have_text("theirs")
    expect(page.locator("#tasks").get_by_label("Task")).to_have_value("mine")
    page.locator("#tasks").get_by_role("button", name="Save").click()
    expect(page.locator("#tasks summary .title")).to_have_text("mine")


def test_deleted_meanwhile_the_text_stays_and_one_click_restores_and_saves(page: Page) -> None:
    mine, other = two_tabs(page)
    other.get_by_role("button", name="Delete", exact=True).click()
    expect(other.locator("#undo")).to_be_visible()
    mine.get_by_label("Notes").fill("mine\nall of it")
    mine.locator("#details").get_by_role("button", name="Save").click()
    expect(mine.get_by_role("heading", level=1)).to_have_text("Deleted meanwhile")
    expect(mine.get_by_label("Notes")).to_have_value("mine\nall of it")
    mine.get_by_role("button", name="Restore and save").click()
    expect(mine.get_by_role("heading", level=1)).to_have_text("Garden")
    expect(mine.get_by_label("Notes")).to_have_value("mine\nall of it")


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_signed_out_meanwhile_the_text_is_there_again_after_the_sign_in(locked_page: Page) -> None:
    sign_in(locked_page)
    mine, other = two_tabs(locked_page)
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    long = "mine\n" + "ö" * 9_000  # of which the form of a plain sign-in would be too long
    mine.get_by_label("Notes").fill(long)
    mine.locator("#details").get_by_role("button", name="Save").click()
    expect(mine.locator("main")).to_contain_text("You are signed out. Sign in, and what you typed is here again.")
    sign_in(mine)
    expect(mine.get_by_role("heading", level=1)).to_have_text("Not saved yet")
    expect(mine.get_by_label("Notes")).to_have_value(long)
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("heading", level=1)).to_have_text("Garden")
    expect(mine.get_by_label("Notes")).to_have_value(long)
    expect(mine).to_have_url(re.compile(r"/work-items/\d+"))
