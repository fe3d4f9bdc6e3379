"""What the pages say and do, as plain forms: no script runs here."""

import hashlib
import re
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.database.engine import Database
from app.domain import tasks, work_items
from app.domain.schemas import NewTask, NewWorkItem
from app.web.pages import formatting
from app.web.pages.list_page import PAGE
from app.web.pages.list_rows import TASKS_IN_LIST

STATIC = Path(work_items.__file__).parents[1] / "web" / "static"


def add(database: Database, title: str, *to_do: str, **fields) -> int:
    """A work item with tasks; returns its id."""
    with database.write() as session:
        item = work_items.add_item(session.connection(), None, NewWorkItem.model_validate({"title": title, **fields}))
        for task in to_do:
            tasks.add_task(session, None, item.id, NewTask(title=task))
    return item.id


def now() -> date:
    return datetime.now().astimezone().date()


def text(answer: TestResponse) -> str:
    """What a person reads on the page, in one line."""
    body = answer.get_data(as_text=True).split("<main", 1)[1].split("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", "<" + body)).split())


def titles(answer: TestResponse) -> list[str]:
    return re.findall(r'class="title" href="[^"]*">([^<]*)<', answer.get_data(as_text=True))


# --- the list ---------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_it_is_for_and_offers_the_first_action(client: FlaskClient) -> None:
    page = client.get("/")
    assert "This is the place for your work" in text(page)
    assert 'placeholder="Add a work item"' in page.get_data(as_text=True)
    assert "Search" not in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/?status=done", "Nothing is done yet"),
        ("/?status=archived", "The archive is empty"),
        ("/?q=unheard", "No open work item fits this search. Show all of them"),
        ("/?q=unheard&status=all", "No work item fits this search."),
        ("/trash", "The trash is empty."),
    ],
)
def test_every_empty_place_says_so(client: FlaskClient, database: Database, path: str, words: str) -> None:
    add(database, "There is one")
    assert words in text(client.get(path))


def test_a_plain_post_leads_back_to_the_list_with_the_new_item_on_top(client: FlaskClient) -> None:
    for title in ("First", "Second"):
        answer = client.post("/work-items", data={"title": title, "back": "/?q=x"})
        assert (answer.status_code, answer.location) == (303, "/#new-item-title")
    assert titles(client.get("/")) == ["Second", "First"]


def test_what_was_typed_is_still_there_when_it_cannot_be_saved(client: FlaskClient, database: Database) -> None:
    add(database, "Found by q")
    answer = client.post("/work-items", data={"title": "<b>" + "x" * 200, "back": "/?q=found"})
    assert answer.status_code == 422
    assert "At most 200 characters." in text(answer)
    assert "&lt;b&gt;xxx" in answer.get_data(as_text=True)
    assert titles(answer) == ["Found by q"]


def test_the_list_shows_the_first_tasks_to_do_and_how_many_more_there_are(
    client: FlaskClient, database: Database
) -> None:
    add(database, "Bake", *(f"task {number}" for number in range(TASKS_IN_LIST + 3)))
    page = text(client.get("/"))
    assert f"task {TASKS_IN_LIST - 1}" in page
    assert f"task {TASKS_IN_LIST} " not in page
    assert "+3 more" in page
    assert f"0/{TASKS_IN_LIST + 3}" in page


def test_a_task_ticked_just_now_stays_in_the_list_and_one_ticked_yesterday_does_not(
    client: FlaskClient, database: Database
) -> None:
    item_id = add(database, "Bake", "flour", "oven")
    with database.write() as session:
        flour, oven = work_items.get_item(session, item_id).tasks
        flour.done = True
        flour.updated_at -= timedelta(days=1)
    client.post(f"/tasks/{oven.id}/tick", data={"done": "1", "back": "/"})
    page = client.get("/").get_data(as_text=True)
    assert "2/2" in page
    assert 'aria-label="flour"' not in page
    assert re.search(r'aria-checked="true"\s+aria-label="oven"', page)


def test_without_a_status_in_the_address_the_list_shows_what_is_open(client: FlaskClient, database: Database) -> None:
    add(database, "Open one")
    add(database, "Done one", status="done")
    assert titles(client.get("/")) == ["Open one"]
    assert titles(client.get("/?status=done")) == ["Done one"]
    assert sorted(titles(client.get("/?status=all"))) == ["Done one", "Open one"]
    assert "Open 1 Done 1 Archived 0 All 2" in text(client.get("/"))


def test_filters_and_page_links_keep_each_other(client: FlaskClient, database: Database) -> None:
    for number in range(PAGE + 1):
        add(database, f"Item {number}", priority="high")
    first = client.get("/?priority=high")
    assert len(titles(first)) == PAGE
    assert f"Page 1 of 2, {PAGE + 1} work items" in text(first)
    assert 'href="/?priority=high&amp;page=2"' in first.get_data(as_text=True)
    assert titles(client.get("/?priority=high&page=2")) == ["Item 0"]
    assert titles(client.get("/?priority=high&page=99")) == ["Item 0"]
    assert len(titles(client.get("/?page=-1"))) == PAGE


def test_what_is_due_is_counted_and_one_click_away(client: FlaskClient, database: Database) -> None:
    add(database, "Late", due=now() - timedelta(days=3))
    add(database, "Later", due=now() + timedelta(days=3))
    page = client.get("/")
    assert "1 due today or overdue" in text(page)
    assert titles(client.get("/?due=today")) == ["Late"]
    assert "3 days ago , overdue" in text(page)
    assert 'href="/?due=today"' in page.get_data(as_text=True)


def test_a_filter_that_does_not_exist_is_told(client: FlaskClient) -> None:
    answer = client.get("/?status=lost")
    assert answer.status_code == 422
    assert "status : One of" in text(answer)


def test_moving_follows_the_filters_of_the_list_it_happens_in(client: FlaskClient, database: Database) -> None:
    for title in ("high 1", "normal", "high 2"):
        top = add(database, title, priority=title.split()[0])
    answer = client.post(f"/work-items/{top}/move", data={"direction": "down", "back": "/?priority=high"})
    assert answer.location == f"/?priority=high#item-{top}-down"
    assert titles(client.get("/")) == ["normal", "high 1", "high 2"]
    assert client.post(f"/work-items/{top}/move", data={"direction": "left"}).status_code == 422


# --- one work item ----------------------------------------------------------------------------------------


def test_an_item_is_changed_from_one_form(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Draft")
    change = {"title": "Final", "notes": "a\r\nb", "status": "open", "priority": "low", "due": "2026-12-24"}
    path = f"/work-items/{item_id}"
    assert client.post(path, data=change | {"back": path}).status_code == 303
    page = client.get(path).get_data(as_text=True)
    assert "<h1>Final</h1>" in page
    assert ">\na\nb</textarea>" in page
    assert 'value="2026-12-24"' in page
    assert "renamed: Draft → Final" in text(client.get(path))


def test_a_due_date_can_be_taken_away(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Draft", due="2026-12-24")
    client.post(f"/work-items/{item_id}", data={"due": ""})
    with database.read() as session:
        assert work_items.get_item(session, item_id).due is None


def test_a_refused_change_of_a_task_opens_its_editor_with_what_was_typed(
    client: FlaskClient, database: Database
) -> None:
    item_id = add(database, "Bake", "flour")
    with database.read() as session:
        task_id = work_items.get_item(session, item_id).tasks[0].id
    answer = client.post(f"/tasks/{task_id}", data={"title": "flour", "due": "soon"})
    assert answer.status_code == 422
    assert "<details open>" in answer.get_data(as_text=True)
    assert 'value="soon"' in answer.get_data(as_text=True)
    assert "A date like 2026-11-23." in text(answer)


def test_a_refused_form_does_not_change_the_address(client: FlaskClient) -> None:
    assert client.post("/work-items", data={"title": ""}).headers["HX-Replace-Url"] == "false"


# --- delete, undo, trash ----------------------------------------------------------------------------------


def test_undo_brings_back_what_was_deleted(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Precious", "step")
    answer = client.post(f"/work-items/{item_id}/delete", data={"back": "/?q=prec"}, follow_redirects=True)
    assert titles(answer) == []
    assert "Deleted “Precious”." in text(answer)
    assert f'formaction="/work-items/{item_id}/restore"' in answer.get_data(as_text=True)
    assert "Undo" not in text(client.get("/"))
    client.post(f"/work-items/{item_id}/restore")
    assert titles(client.get("/")) == ["Precious"]


def test_the_trash_says_how_long_things_stay(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Gone")
    client.post(f"/work-items/{item_id}/delete")
    assert "Gone 29 more days Restore" in text(client.get("/trash"))


def test_a_task_in_the_trash_names_its_item(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Bake", "flour")
    with database.read() as session:
        task_id = work_items.get_item(session, item_id).tasks[0].id
    client.post(f"/tasks/{task_id}/delete")
    assert "flour in Bake" in text(client.get("/trash"))
    client.post(f"/tasks/{task_id}/restore")
    assert "The trash is empty." in text(client.get("/trash"))


# --- safe and sound ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"]
)
def test_a_form_never_leads_out_of_the_app(client: FlaskClient, database: Database, back: str) -> None:
    item_id = add(database, "One")
    assert client.post(f"/work-items/{item_id}/delete", data={"back": back}).location == "/"


def test_titles_are_text_and_never_markup(client: FlaskClient, database: Database) -> None:
    attack = "\"><script>alert('x')</script>"
    item_id = add(database, attack, attack, notes="</textarea>" + attack)
    client.post(f"/work-items/{add(database, attack)}/delete")
    for path in ("/", f"/work-items/{item_id}", "/trash", f"/?q={attack}"):
        assert "<script>alert" not in client.get(path).get_data(as_text=True)


def test_a_form_that_was_not_meant_is_not_half_obeyed(client: FlaskClient, database: Database) -> None:
    item_id = add(database, "Kept")
    assert client.post(f"/work-items/{item_id}", data={"title": "Changed", "position": "no"}).status_code == 422
    assert titles(client.get("/")) == ["Kept"]


@pytest.mark.parametrize("path", ["/work-items/1", "/work-items/1/delete", "/tasks/1/tick", "/tasks/1/restore"])
def test_a_page_for_what_is_gone(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data={"done": "1"})
    assert answer.status_code == 404
    assert "Not found" in text(answer)
    assert 'href="/"' in answer.get_data(as_text=True)


def test_the_shipped_htmx_is_the_published_one() -> None:
    for line in (STATIC / "SHA256SUMS").read_text().splitlines():
        checksum, name = line.split()
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == checksum


def test_every_template_keeps_to_the_policy(app: Flask) -> None:
    for template in (STATIC.parent / "templates").iterdir():
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script>|javascript:|https?://(?!www\.w3)", template.read_text()
        )


# --- words and colours ------------------------------------------------------------------------------------

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("due", "read"),
    [
        (TODAY, "today"),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 22), "yesterday"),
        (date(2026, 11, 26), "in 3 days"),
        (date(2026, 11, 21), "2 days ago"),
        (date(2026, 12, 24), "24 Dec"),
        (date(2027, 1, 5), "5 Jan 2027"),
        (date(2026, 9, 4), "4 Sep"),
    ],
)
def test_a_due_date_in_words(due: date, read: str) -> None:
    assert formatting.format_due(due, TODAY) == read


def palettes() -> list[dict[str, str]]:
    """The custom properties of the light and the dark scheme."""
    found = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text(), re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in found]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21, by WCAG 2."""

    def light(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", palettes(), ids=["light", "dark"])
def test_text_and_controls_stand_out_in_both_schemes(colours: dict[str, str]) -> None:
    for ground in ("ground", "surface", "hover"):
        for ink in ("text", "muted", "accent", "danger"):
            assert contrast(colours[ink], colours[ground]) >= 7, (ink, ground)
    for ground in ("ground", "surface"):
        assert contrast(colours["control"], colours[ground]) >= 4.5, ground
    assert contrast(colours["on-accent"], colours["accent"]) >= 7
    assert contrast(colours["ground"], colours["text"]) >= 7
