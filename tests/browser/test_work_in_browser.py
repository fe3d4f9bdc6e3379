"""Working with items and tasks as a person does, with JavaScript and without."""

import re
from datetime import date, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.running import RunningApp


def today() -> date:
    return datetime.now().astimezone().date()


def add_item(page: Page, title: str) -> Locator:
    """The row of a new work item, at the top of the list."""
    page.get_by_label("New work item").fill(title)
    page.get_by_label("New work item").press("Enter")
    row = page.locator("#items > li").first
    expect(row.locator(".title").first).to_have_text(title)
    return row


def open_item(page: Page, title: str, *tasks: str) -> None:
    """The page of a new work item with these tasks."""
    add_item(page, title).get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    for task in tasks:
        add_task(page, task)


def add_task(page: Page, title: str) -> None:
    page.get_by_label("New task").fill(title)
    page.get_by_label("New task").press("Enter")
    expect(page.locator("#tasks > li").last.locator(".title")).to_have_text(title)


def titles(rows: Locator) -> list[str]:
    return rows.locator("> .row .title, > details .title").all_inner_texts()


def to_list(page: Page) -> None:
    page.get_by_role("link", name="Work", exact=True).click()


def test_the_focus_stays_in_the_field_that_adds(page: Page) -> None:
    for number in ("one", "two"):
        add_item(page, f"Item {number}")
        expect(page.get_by_label("New work item")).to_be_focused()
        expect(page.get_by_label("New work item")).to_have_value("")
    open_item(page, "Item three", "Task one")
    expect(page.get_by_label("New task")).to_be_focused()


@pytest.mark.parametrize("javascript", [True], ids=["JavaScript"])  # without it each waits for the next page
def test_titles_typed_faster_than_the_server_answers_are_all_kept_in_order(page: Page) -> None:
    page.evaluate("""() => ["one", "two", "three", "four"].forEach(title => {
        const form = document.getElementById("new-item");
        form.elements.title.value = title;
        form.requestSubmit();
    })""")
    expect(page.locator("#items .item .title")).to_have_text(["four", "three", "two", "one"])


def test_a_task_is_ticked_in_the_list(page: Page) -> None:
    open_item(page, "Bake", "Flour", "Oven", "Plates", "Candles", "Guests", "Music")
    to_list(page)
    row = page.locator("#items > li").first
    expect(row.locator(".item .progress")).to_have_text("0/6")
    expect(row.get_by_role("link", name="+2 more")).to_be_visible()
    row.get_by_role("checkbox", name="Oven").click()
    expect(row.locator(".item .progress")).to_have_text("1/6")
    ticked = row.get_by_role("checkbox", name="Oven")
    expect(ticked).to_be_checked()
    expect(ticked).to_be_focused()
    ticked.click()
    expect(row.locator(".item .progress")).to_have_text("0/6")
    expect(ticked).not_to_be_checked()


def test_a_work_item_is_done_with_one_tick_and_undone_with_one_click(page: Page) -> None:
    add_item(page, "Call the bank").get_by_role("checkbox").click()
    expect(page.locator("#undo")).to_contain_text("“Call the bank” is done now.")
    expect(page.locator("#items > li", has_text="Call the bank")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#items > li").first).to_contain_text("Call the bank")
    expect(page.locator("#undo")).to_have_count(0)


def test_title_notes_status_priority_and_due_date(page: Page) -> None:
    open_item(page, "Draft")
    page.get_by_label("Title").fill("  Final ")
    page.get_by_label("Notes").fill("Two lines\nof notes")
    page.get_by_label("Priority").select_option("high")
    page.get_by_label("Due").fill(str(today() - timedelta(days=2)))
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Final")
    expect(page.get_by_label("Title")).to_have_value("Final")
    expect(page.get_by_label("Notes")).to_have_value("Two lines\nof notes")
    expect(page.locator(".facts")).to_contain_text("High priority")
    expect(page.locator(".facts .late")).to_contain_text("2 days ago")
    page.get_by_label("Status").select_option("archived")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#undo")).to_contain_text("archived")
    page.get_by_text("History").click()
    expect(page.locator(".history")).to_contain_text("renamed: Draft → Final")
    to_list(page)
    page.get_by_role("link", name="Archived").click()
    expect(page.locator("#items")).to_contain_text("Final")


def test_the_form_shows_what_was_changed_beside_it(page: Page) -> None:
    open_item(page, "Draft")
    for status in ("archived", "open"):
        page.get_by_label("Status").select_option(status)
        page.get_by_role("button", name="Save").last.click()
        expect(page.locator("#said")).not_to_be_empty()
    page.get_by_role("checkbox", name="Draft").click()
    expect(page.get_by_label("Status")).to_have_value("done")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#undo")).to_have_count(0)
    expect(page.get_by_label("Status")).to_have_value("open")


def test_a_task_is_renamed_and_gets_a_due_date(page: Page) -> None:
    open_item(page, "Move", "Vann", "Boxes")
    page.locator("#tasks summary").first.click()
    editor = page.locator("#tasks details").first
    editor.get_by_label("Task").fill("Van")
    editor.get_by_label("Due").fill(str(today()))
    editor.get_by_role("button", name="Save").click()
    first = page.locator("#tasks > li").first
    expect(first.locator(".title")).to_have_text("Van")
    expect(first.locator(".due")).to_have_text("today")
    expect(first.locator("form.edit")).to_be_hidden()


def test_what_cannot_be_saved_stays_in_the_form_with_the_reason_beside_it(page: Page) -> None:
    add_item(page, "Kept")
    page.get_by_label("New work item").fill("   ")
    page.get_by_label("New work item").press("Enter")
    expect(page.locator("#new-item .complaint")).to_have_text("This can't be empty.")
    expect(page.get_by_label("New work item")).to_have_attribute("aria-invalid", "true")
    add_item(page, "Second try")
    expect(page.locator(".complaint")).to_have_count(0)

    page.get_by_role("link", name="Kept").first.click()
    page.get_by_label("Notes").fill("Typed with care")
    page.get_by_label("Title").fill(" ")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#details .complaint")).to_have_text("This can't be empty.")
    expect(page.get_by_label("Notes")).to_have_value("Typed with care")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kept")


def test_search_and_filters_live_in_the_address(page: Page, javascript: bool) -> None:
    open_item(page, "Paint the fence", "Buy turquoise")
    page.get_by_label("Priority").select_option("low")
    page.get_by_role("button", name="Save").last.click()
    to_list(page)
    search = page.get_by_role("searchbox", name="Search")
    search.fill("TURQUOISE")
    if not javascript:
        search.press("Enter")
    page.wait_for_url(re.compile("q=TURQUOISE"))
    expect(page.locator("#items > li")).to_have_count(1)
    page.get_by_label("Priority").select_option("low")
    if not javascript:
        page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile("priority=low"))
    page.reload()
    expect(page.locator("#items > li")).to_have_count(1)
    expect(search).to_have_value("TURQUOISE")
    page.get_by_role("checkbox", name="Buy turquoise").click()
    expect(page.locator("#items .progress")).to_have_text("1/1")
    expect(page).to_have_url(re.compile("q=TURQUOISE.*priority=low"))
    page.goto("/?q=nothing+fits+this")
    page.get_by_role("link", name="Show all of them").click()
    expect(page.locator("#items")).to_contain_text("Paint the fence")


def test_rows_move_up_and_down_and_stay_there(page: Page) -> None:
    add_item(page, "Below")
    row = add_item(page, "Above")
    row.get_by_role("button", name="Move “Above” down").click()
    expect(page.locator("#items > li .item .title").first).to_have_text("Below")
    expect(page.get_by_role("button", name="Move “Above” down")).to_be_focused()
    page.reload()
    assert page.locator("#items > li > .item .title").all_inner_texts()[:2] == ["Below", "Above"]

    open_item(page, "Order", "first", "second", "third")
    page.get_by_role("button", name="Move “third” up").click()
    expect(page.locator("#tasks .title").nth(1)).to_have_text("third")
    expect(page.locator("#tasks .title")).to_have_text(["first", "third", "second"])


@pytest.mark.parametrize("javascript", [True], ids=["JavaScript"])  # without it the browser finds the place itself
def test_the_focus_moves_along_where_a_browser_cannot_move_elements(page: Page) -> None:
    page.add_init_script("delete Element.prototype.moveBefore")
    add_item(page, "Below")
    add_item(page, "Above")
    page.reload()
    page.get_by_role("button", name="Move “Above” down").click()
    expect(page.locator("#items .item .title")).to_have_text(["Below", "Above"])
    expect(page.get_by_role("button", name="Move “Above” down")).to_be_focused()


def test_a_deleted_task_and_a_deleted_item_come_back(page: Page) -> None:
    open_item(page, "Keep me", "keep this too")
    page.get_by_role("button", name="Delete “keep this too”").click()
    expect(page.locator("#tasks > li")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#tasks .title")).to_have_text("keep this too")

    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#undo")).to_contain_text("Deleted “Keep me”.")
    expect(page.locator("h1")).to_have_text("Work items")
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Restore “Keep me”").click()
    expect(page.get_by_role("button", name="Restore “Keep me”")).to_have_count(0)
    to_list(page)
    expect(page.locator("#items")).to_contain_text("keep this too")


@pytest.mark.parametrize("javascript", [True], ids=["JavaScript"])  # without it every change is a new page
def test_a_half_typed_edit_survives_a_tick_elsewhere(page: Page) -> None:
    open_item(page, "Careful", "one", "two")
    page.locator("#tasks summary").first.click()
    page.locator("#tasks details").first.get_by_label("Task").fill("half typed")
    page.get_by_label("Notes").fill("also half typed")
    page.get_by_role("checkbox", name="two").click()
    expect(page.locator(".facts .progress")).to_have_text("1/2")
    editor = page.locator("#tasks details").first.get_by_label("Task")
    expect(editor).to_be_visible()
    expect(editor).to_have_value("half typed")
    expect(page.get_by_label("Notes")).to_have_value("also half typed")


def test_what_somebody_else_deleted_is_told(page: Page, javascript: bool, app: RunningApp) -> None:
    open_item(page, "Shared", "gone meanwhile")
    app.change_database("DELETE FROM tasks")
    page.get_by_label("Notes").fill("half typed")
    page.get_by_role("checkbox", name="gone meanwhile").click()
    expect(page.get_by_text("There is no task")).to_be_visible()
    if javascript:
        expect(page.get_by_label("Notes")).to_have_value("half typed")
        expect(page.get_by_role("checkbox", name="gone meanwhile")).not_to_be_checked()


def test_the_back_button_leads_to_a_list_that_is_up_to_date(page: Page, javascript: bool) -> None:
    open_item(page, "Bake", "Flour")
    to_list(page)
    page.get_by_role("link", name="Bake").click()
    page.get_by_role("checkbox", name="Flour").click()
    expect(page.locator(".facts .progress")).to_have_text("1/1")
    page.go_back()
    if not javascript:  # The tick was a page of its own.
        page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Work items")
    expect(page.locator("#items .progress")).to_have_text("1/1")


@pytest.mark.parametrize("javascript", [True], ids=["JavaScript"])  # without it the browser shows its own page
def test_a_server_that_is_gone_is_said_and_nothing_typed_is_lost(page: Page) -> None:
    add_item(page, "Still to do")
    page.route("**/work-items", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    page.get_by_label("New work item").fill("Not lost")
    page.get_by_label("New work item").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("error 502")
    expect(page.get_by_label("New work item")).to_have_value("Not lost")
    page.unroute("**/work-items")
    page.route("**/work-items/*", lambda route: route.abort())
    page.get_by_role("checkbox", name="Still to do").click()
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    expect(page.get_by_role("checkbox", name="Still to do")).not_to_be_checked()
    page.get_by_label("New work item").press("Enter")
    expect(page.locator("#items")).to_contain_text("Not lost")
    expect(page.get_by_role("alert")).to_be_hidden()
