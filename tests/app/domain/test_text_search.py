"""Searching for words: what is found, by what, and that nothing is found which is not there any more."""

from datetime import date

import pytest
from sqlalchemy import text

from app.database import search_index
from app.database.engine import Database
from app.domain import tasks, text_search, trash, work_items
from app.domain.schemas import Filters, NewTask, TaskChange, WorkItemChange
from tests.app.domain.test_work_items import add, add_tasks, titles

TODAY = date(2026, 11, 23)


def found(database: Database, words: str) -> list[str]:
    return titles(database, q=words)


def test_words_are_found_in_titles_notes_and_tasks_without_case(database):
    garden, kitchen = add(database, "Ärger im Garten", "Küche")
    add_tasks(database, kitchen, "100% Öl_kaufen")
    with database.write() as session:
        work_items.change_item(session, None, garden, WorkItemChange(notes="Rasen mähen"))
    assert found(database, "ärger") == ["Ärger im Garten"]
    assert found(database, "garten MÄHEN") == ["Ärger im Garten"], "every word, wherever it stands"
    assert found(database, "gart") == ["Ärger im Garten"], "in the middle of others, too"
    assert found(database, "öl_") == ["Küche"]
    assert found(database, "garten küche") == []


@pytest.mark.parametrize(
    "word", ["0%", "%", "_", "*", '"', '""', "'", "\\", "(", "a-b", "a:b", "^", "NEAR(x)", "AND", "-", "{"]
)
def test_no_character_means_more_than_itself(database, word: str):
    add(database, f"with {word} inside", "without: nothing here")
    assert found(database, word) == [f"with {word} inside"]


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("Straße", "STRASSE"),
        ("İstanbul", "i̇stanbul"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("買い物に行く", "物"),
        ("買い物に行く", "行く"),
        ("買い物に行く", "い物に"),
        ("buy 🥛 now", "🥛"),
        ("👩‍👧 school", "👩‍👧"),
        ("of x", "x"),
        ("of xy", "xy"),
        ("x", "x"),
    ],
)
def test_any_language_and_any_length(database, title: str, word: str):
    add(database, title, "mmmm")
    assert found(database, word) == [title]


def test_a_short_word_stands_at_the_end_of_a_title_of_notes_and_of_the_last_task(database):
    item, other = add(database, "plan q7", "nothing")
    (task,) = add_tasks(database, other, "zz")
    assert found(database, "q7") == ["plan q7"] and found(database, "7") == ["plan q7"]
    assert found(database, "z") == found(database, "zz") == ["nothing"]
    with database.write() as session:
        work_items.change_item(session, None, item, WorkItemChange(notes="ends with k9"))
        tasks.change_task(session, None, task, TaskChange(title="yy"))
    assert found(database, "k9") == ["plan q7"]
    assert found(database, "z") == [] and found(database, "y") == ["nothing"]


def test_short_and_long_words_narrow_each_other_down(database):
    add(database, "milk a1", "milk b2", "bread a1")
    assert found(database, "a1 milk") == ["milk a1"]
    assert found(database, "a1 b2") == []


def test_the_first_ten_words_that_differ_count(database):
    add(database, *(f"word{number:02}" for number in range(12)), " ".join(f"word{number:02}" for number in range(10)))
    ten = [f"word{number:02}" for number in range(10)]
    assert found(database, " ".join([*ten, "elsewhere"])) == [" ".join(ten)]
    assert found(database, " ".join(["word11"] * 12 + ["nowhere"])) == []


def test_of_many_words_each_must_stand_there_whole(database):
    """The index is asked for their first and last letters only."""
    words = "apricot blossom cinnamon dolphin"
    add(database, words, "apr cot blo som cin mon dol hin", f"{words} and more")
    assert found(database, words) == [words, f"{words} and more"]
    assert found(database, "APRICOT LOSS cin% dolphin") == []
    assert found(database, "PRI LOSS nnam DOL hin") == [words, f"{words} and more"]


def test_a_letter_that_begins_very_many_groups_is_found_all_the_same(database, monkeypatch):
    """The texts are read then."""
    monkeypatch.setattr(text_search, "FEW", 2)
    add(database, "ab1", "ac1", "ad1", "nothing")
    assert found(database, "a") == ["ab1", "ac1", "ad1"]
    assert found(database, "ab") == ["ab1"]
    assert found(database, "a 1") == ["ab1", "ac1", "ad1"]


# --- what is not there any more ---------------------------------------------------------------------------


def test_what_was_changed_is_found_by_its_new_words_only(database):
    (item,) = add(database, "old title")
    (task,) = add_tasks(database, item, "old task")
    with database.write() as session:
        work_items.change_item(session, None, item, WorkItemChange(title="new"))
        tasks.change_task(session, None, task, TaskChange(title="fresh"))
    assert found(database, "old") == []
    assert found(database, "new fresh") == ["new"]


def test_what_lies_in_the_trash_is_found_when_it_is_restored(database):
    item, _ = add(database, "garden", "other")
    (task,) = add_tasks(database, item, "mow")

    def do(verb, row: int) -> None:
        with database.write() as session:
            verb(session, None, row)

    do(tasks.delete_task, task)
    assert found(database, "mow") == []
    do(tasks.restore_task, task)
    do(work_items.delete_item, item)
    assert found(database, "mow") == found(database, "garden") == []
    do(work_items.restore_item, item)
    assert found(database, "mow garden") == ["garden"]


def in_index(database: Database) -> dict[int, str]:
    with database.read() as session:
        return {row.rowid: row.text for row in session.execute(text("SELECT rowid, text FROM search"))}


def test_the_index_holds_what_one_that_is_made_anew_would_hold(database, monkeypatch):
    items = add(database, *"ABCDEFG", notes="notes")
    first = [add_tasks(database, item, f"task of {item}", "second")[0] for item in items]
    with database.write() as session:
        tasks.delete_task(session, None, first[0])
        work_items.delete_item(session, None, items[1])
        work_items.delete_item(session, None, items[2])
        work_items.restore_item(session, None, items[2])
        tasks.change_task(session, None, first[3], TaskChange(title="other", done=True))
        work_items.change_item(session, None, items[4], WorkItemChange(notes="", status="done", after=None))
        tasks.add_task(session, None, items[5], NewTask(title="late"))
        monkeypatch.setattr(trash, "TRASH_DAYS", -1)
        trash.empty_trash(session)
    kept = in_index(database)
    assert set(kept) == {*items} - {items[1]}
    with database.write() as session:
        search_index.make_anew(session.connection())
    assert in_index(database) == kept


def test_a_change_that_is_taken_back_is_not_found(database):
    (item,) = add(database, "before")
    with pytest.raises(RuntimeError), database.write() as session:
        work_items.change_item(session, None, item, WorkItemChange(title="after"))
        raise RuntimeError
    assert found(database, "after") == [] and found(database, "before") == ["before"]


def test_lists_count_and_move_within_what_is_found(database):
    _, _, c = add(database, "milk a", "bread", "milk c")
    with database.write() as session:
        work_items.move_item(session, c, "up", Filters(q="milk"), TODAY)
    assert found(database, "milk") == ["milk c", "milk a"]
    assert titles(database) == ["milk c", "milk a", "bread"]
