"""Two at one form: what the one saved is not overwritten by the other, and what was typed is never lost."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.database.engine import Database
from app.domain import accounts, tasks, work_items
from app.domain.passwords import PasswordHash
from app.domain.schemas import NewAccount, NewTask, NewWorkItem
from tests.app.conftest import EMAIL, PASSWORD


class Form(HTMLParser):
    """The fields of the form with this action, as a browser would send them; `shown` is the page around it."""

    def __init__(self, answer: TestResponse, action: str) -> None:
        super().__init__()
        self.action, self.shown, self.fields = action, answer, {}
        self._inside, self._textarea, self._select = False, "", ""
        self.feed(answer.get_data(as_text=True))
        assert self.fields, f"There is no form for {action} on the page."

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action") == self.action
        elif self._inside and tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif self._inside and tag == "textarea":
            self._textarea = given["name"]
            self.fields[self._textarea] = ""
        elif tag == "select":
            self._select = given["name"]
        elif self._inside and tag == "option" and "selected" in given:
            self.fields[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            self.fields[self._textarea] = (
                self.fields[self._textarea].removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            )
            self._textarea = ""
        elif tag == "form":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data

    def send(self, client: FlaskClient, **typed: str) -> TestResponse:
        return client.post(self.action, data=self.fields | typed)


@pytest.fixture
def item_id(database: Database) -> int:
    return add(database)


def add(database: Database) -> int:
    with database.write() as session:
        new = NewWorkItem.model_validate({"title": "Garden", "notes": "mow\nweed", "due": "2026-12-24"})
        return work_items.add_item(session.connection(), None, new).id


def add_task(database: Database, item_id: int, title: str = "rake") -> int:
    with database.write() as session:
        return tasks.add_task(session, None, item_id, NewTask(title=title)).id


def opened(client: FlaskClient, item_id: int) -> Form:
    return Form(client.get(f"/work-items/{item_id}"), f"/work-items/{item_id}")


def opened_task(client: FlaskClient, item_id: int, task_id: int) -> Form:
    return Form(client.get(f"/work-items/{item_id}"), f"/tasks/{task_id}")


def kept(database: Database, item_id: int) -> tuple[str, str, str]:
    with database.read() as session:
        item = work_items.get_item(session, item_id)
        return item.title, item.notes, item.priority


def text(answer: TestResponse) -> str:
    body = answer.get_data(as_text=True).split("<main", 1)[1].split("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", "<" + body)).split())


# --- two tabs ---------------------------------------------------------------------------------------------


def test_what_a_person_did_not_change_stays_as_somebody_else_left_it(client, database, item_id) -> None:
    mine, theirs = opened(client, item_id), opened(client, item_id)
    assert theirs.send(client, notes="mow\r\nweed\r\nwater", priority="high").status_code == 303
    assert mine.send(client, title="The garden").status_code == 303
    assert kept(database, item_id) == ("The garden", "mow\nweed\nwater", "high")


def test_what_both_changed_is_shown_with_both_texts_and_saved_again_keeps_mine(client, database, item_id) -> None:
    mine, theirs = opened(client, item_id), opened(client, item_id)
    theirs.send(client, notes="<b>theirs</b>", priority="high")
    answer = mine.send(client, notes="mine", title="The garden")
    assert answer.status_code == 422
    assert answer.headers["HX-Replace-Url"] == "false"
    assert "This was changed meanwhile. Save again to keep yours. There now: <b>theirs</b>" in text(answer)
    assert kept(database, item_id) == ("Garden", "<b>theirs</b>", "high")
    again = Form(answer, mine.action)
    assert (again.fields["notes"], again.fields["title"], again.fields["priority"]) == ("mine", "The garden", "high")
    assert again.send(client).status_code == 303
    assert kept(database, item_id) == ("The garden", "mine", "high")


def test_what_changes_once_more_before_the_second_save_is_shown_once_more(client, database, item_id) -> None:
    mine = opened(client, item_id)
    opened(client, item_id).send(client, notes="first")
    again = Form(mine.send(client, notes="mine"), mine.action)
    opened(client, item_id).send(client, notes="second")
    answer = again.send(client)
    assert answer.status_code == 422
    assert "There now: second" in text(answer)


def test_a_choice_and_a_date_that_both_changed_are_told_in_words(client, item_id) -> None:
    mine = opened(client, item_id)
    opened(client, item_id).send(client, status="archived", due="2027-01-02", notes="")
    answer = mine.send(client, status="done", due="2027-01-03", notes="mine")
    assert "There now: Archived" in text(answer)
    assert "There now: Saturday, 2 January 2027" in text(answer)
    assert "There now: nothing" in text(answer)


def test_both_may_change_it_to_the_same(client, item_id) -> None:
    mine, theirs = opened(client, item_id), opened(client, item_id)
    theirs.send(client, title="The garden")
    assert mine.send(client, title=" The garden ").status_code == 303


def test_a_form_that_was_refused_for_its_input_still_knows_what_it_showed(client, database, item_id) -> None:
    mine = opened(client, item_id)
    answer = mine.send(client, title=" ", notes="mine")
    opened(client, item_id).send(client, notes="theirs")
    again = Form(answer, mine.action)
    assert again.send(client, title="The garden").status_code == 422
    assert kept(database, item_id)[1] == "theirs"


def test_text_with_another_ends_of_lines_counts_as_unchanged(client, database, item_id) -> None:
    client.patch(f"/api/v1/work-items/{item_id}", json={"notes": "old\rMac"})
    mine = opened(client, item_id)
    opened(client, item_id).send(client, notes="theirs")
    mine.fields["notes"] = "old\r\nMac"  # as a browser sends it
    assert mine.send(client, title="The garden").status_code == 303
    assert kept(database, item_id) == ("The garden", "theirs", "normal")


def test_a_task_that_both_changed_opens_its_editor_with_both_texts(client, database, item_id) -> None:
    task_id = add_task(database, item_id)
    mine, theirs = opened_task(client, item_id, task_id), opened_task(client, item_id, task_id)
    assert theirs.send(client, title="rake the leaves", due="2026-12-01").status_code == 303
    answer = mine.send(client, title="rake it all")
    assert answer.status_code == 422
    assert "<details open>" in answer.get_data(as_text=True)
    assert "There now: rake the leaves" in text(answer)
    assert Form(answer, mine.action).send(client).status_code == 303
    with database.read() as session:
        task = tasks.get_task(session, task_id)
        assert (task.title, str(task.due)) == ("rake it all", "2026-12-01")


def test_a_button_says_what_it_means_and_shows_nothing_to_compare(client, database, item_id) -> None:
    client.patch(f"/api/v1/work-items/{item_id}", json={"status": "archived"})
    answer = client.post(f"/work-items/{item_id}", data={"status": "done"}, follow_redirects=True)
    assert "is done now." in text(answer)
    assert 'name="status" value="archived"' in answer.get_data(as_text=True)  # Undo leads to what it was


@pytest.mark.parametrize("forged", ["title:0 notes", "::: title:", "title:é\0", "x" * 10_000])
def test_digests_that_somebody_made_up_do_no_harm(client, item_id, forged: str) -> None:
    mine = opened(client, item_id)
    assert mine.send(client, seen=forged, title="Mine").status_code in (303, 422)


def test_a_role_that_another_admin_changed_meanwhile_is_not_set_back(locked_app, signed_in) -> None:
    with locked_app.instance.database.write() as session:
        new = NewAccount.model_validate({"email": "bob@example.com", "password": PASSWORD, "role": "member"})
        bob = accounts.add_account(session, new, PasswordHash("none")).id
    mine, stale = (Form(signed_in.get("/accounts"), f"/accounts/{bob}/role") for _ in range(2))
    assert mine.send(signed_in, role="admin").status_code == 303
    assert stale.send(signed_in).status_code == 303  # pressed without another choice
    assert signed_in.get(f"/api/v1/accounts/{bob}").json["role"] == "admin"


# --- deleted meanwhile ------------------------------------------------------------------------------------


def test_what_was_typed_into_a_deleted_item_is_shown_and_restored_with_one_click(client, database, item_id) -> None:
    mine = opened(client, item_id)
    client.post(f"/work-items/{item_id}/delete")
    answer = mine.send(client, notes="<i>mine</i>\r\nall of it")
    assert answer.status_code == 422
    assert "Deleted meanwhile “Garden” lies in the trash. What you typed is not saved:" in text(answer)
    form = Form(answer, mine.action)
    assert form.fields["notes"] == "<i>mine</i>\r\nall of it"
    assert form.send(client, restore="1").location == f"/work-items/{item_id}#item-{item_id}-tick"
    assert kept(database, item_id) == ("Garden", "<i>mine</i>\nall of it", "normal")


def test_restoring_does_not_overwrite_what_was_changed_before_the_deletion(client, database, item_id) -> None:
    mine = opened(client, item_id)
    opened(client, item_id).send(client, notes="theirs", priority="low")
    client.post(f"/work-items/{item_id}/delete")
    answer = Form(mine.send(client, notes="mine"), mine.action).send(client, restore="1")
    assert answer.status_code == 422
    assert "There now: theirs" in text(answer)
    assert kept(database, item_id) == ("Garden", "theirs", "low")


def test_a_task_and_its_item_come_back_together(client, database, item_id) -> None:
    task_id = add_task(database, item_id)
    mine = opened_task(client, item_id, task_id)
    client.post(f"/tasks/{task_id}/delete")
    client.post(f"/work-items/{item_id}/delete")
    answer = mine.send(client, title="rake it all")
    assert "lies in the trash" in text(answer)
    assert Form(answer, mine.action).send(client, restore="1").status_code == 303
    with database.read() as session:
        assert tasks.get_task(session, task_id).title == "rake it all"


def test_a_new_task_of_a_deleted_item_is_not_lost(client, database, item_id) -> None:
    action = f"/work-items/{item_id}/tasks"
    mine = Form(client.get(f"/work-items/{item_id}"), action)
    client.post(f"/work-items/{item_id}/delete")
    answer = mine.send(client, title="rake")
    assert "“Garden” lies in the trash." in text(answer)
    Form(answer, action).send(client, restore="1")
    assert "rake" in text(client.get(f"/work-items/{item_id}"))


def test_what_is_gone_for_good_leaves_the_text_to_copy(client, database, item_id) -> None:
    mine = opened(client, item_id)
    with database.write() as session:
        session.delete(work_items.get_item(session, item_id))
    answer = mine.send(client, notes="mine")
    assert answer.status_code == 422
    assert "It can't be restored." in text(answer)
    assert re.search(r"<textarea[^>]* readonly[^>]*>\s*mine</textarea>", answer.get_data(as_text=True))
    assert "Restore and save" not in text(answer)


def test_restored_with_input_that_is_wrong_the_page_says_what(client, item_id) -> None:
    mine = opened(client, item_id)
    client.post(f"/work-items/{item_id}/delete")
    answer = mine.send(client, title=" ", restore="1")
    assert "This can't be empty." in text(answer)


def test_input_that_is_wrong_and_deleted_meanwhile_is_kept_too(client, item_id) -> None:
    mine = opened(client, item_id)
    client.post(f"/work-items/{item_id}/delete")
    answer = mine.send(client, title=" ", notes="mine")
    assert "lies in the trash" in text(answer)
    assert Form(answer, mine.action).fields["notes"] == "mine"


# --- signed out meanwhile ---------------------------------------------------------------------------------


def sign_in(client: FlaskClient, answer: TestResponse, password: str = PASSWORD) -> TestResponse:
    return Form(answer, "/sign-in/typed").send(client, email=EMAIL, password=password)


def test_what_was_typed_survives_the_end_of_the_session(locked_app, signed_in) -> None:
    database = locked_app.instance.database
    item_id = add(database)
    mine = opened(signed_in, item_id)
    signed_in.post("/sign-out")
    answer = mine.send(signed_in, notes="<i>mine</i>\r\nall of it")
    assert answer.status_code == 422
    assert "You are signed out. Sign in, and what you typed is here again." in text(answer)
    wrong = sign_in(signed_in, answer, "a wrong password")
    assert "don't fit together" in text(wrong)
    page = sign_in(signed_in, wrong)
    form = Form(page, mine.action)
    assert form.fields["notes"] == "<i>mine</i>\r\nall of it"
    assert kept(database, item_id)[1] == "mow\nweed"
    assert form.send(signed_in).location == f"/work-items/{item_id}#item-{item_id}-tick"
    assert kept(database, item_id) == ("Garden", "<i>mine</i>\nall of it", "normal")


def test_what_somebody_else_saved_while_one_was_signed_out_is_not_overwritten(locked_app, signed_in, token) -> None:
    item_id = add(locked_app.instance.database)
    mine = opened(signed_in, item_id)
    signed_in.post("/sign-out")
    answer = mine.send(signed_in, notes="mine")
    signed_in.patch(f"/api/v1/work-items/{item_id}", json={"notes": "theirs"}, headers=token("write"))
    form = Form(sign_in(signed_in, answer), mine.action)
    assert "There now: theirs" in text(form.send(signed_in))


def test_a_new_title_survives_the_end_of_the_session(signed_in) -> None:
    mine = Form(signed_in.get("/"), "/work-items")
    signed_in.post("/sign-out")
    page = sign_in(signed_in, mine.send(signed_in, title="Garden"))
    assert Form(page, "/work-items").send(signed_in).status_code == 303
    assert "Garden" in text(signed_in.get("/"))


def test_who_signed_in_elsewhere_meanwhile_is_not_asked_again(locked_app, signed_in) -> None:
    mine = Form(signed_in.get("/"), "/work-items")
    signed_in.post("/sign-out")
    answer = mine.send(signed_in, title="Garden")
    signed_in.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    page = sign_in(signed_in, answer, "no matter what")
    assert Form(page, "/work-items").fields["title"] == "Garden"


def test_a_button_that_was_pressed_signed_out_leads_back_to_its_page(signed_in) -> None:
    signed_in.post("/sign-out")
    answer = signed_in.post("/tasks/1/tick", data={"done": "1", "back": "/work-items/7"})
    assert answer.location == "/sign-in?next=/work-items/7"


def test_no_password_comes_back_in_a_page(stranger) -> None:
    answer = stranger.post("/accounts", data={"title": "x", "password": "a secret", "email": "ann@example.com"})
    assert "a secret" not in answer.text


def test_what_was_typed_is_sent_nowhere_else(stranger) -> None:
    answer = stranger.post(
        "/sign-in/typed", data={"to": "https://evil.example/", "title": "x", "email": "", "password": ""}
    )
    assert "evil" not in answer.text
