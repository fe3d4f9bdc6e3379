"""What SQLite's checks say, in words for a person."""

from pathlib import Path

import pytest

from app.database.contents import fault_in_file, refuse_unsound, said_by_check
from app.database.sqlite import opened, unchanging, uri_of
from app.errors import Broken
from tests.app.backup.databases import closed_database, execute

PAGE = 4096


def test_a_damaged_freelist_is_told_once_and_how_often(tmp_path: Path):
    file = tmp_path / "a.db"
    filled = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO t SELECT"
    execute(file, "CREATE TABLE t (x)", f"{filled} randomblob(4000) FROM n", "DELETE FROM t")
    content = bytearray(file.read_bytes())
    trunk = (int.from_bytes(content[32:36], "big") - 1) * PAGE
    content[trunk + 8 : trunk + 48] = (0xFFFF00).to_bytes(4, "big") * 10
    file.write_bytes(content)
    with opened(unchanging(file), file) as connection, pytest.raises(Broken) as refused:
        refuse_unsound(connection, file)
    assert "Freelist: invalid page number 16776960 (10 times)" in refused.value.message
    assert refused.value.message.count("16776960") == 1
    assert "***" not in refused.value.message


def test_what_is_well_says_nothing_and_of_much_the_first_is_said():
    assert said_by_check(["ok"]) is None
    assert said_by_check(["one", "two\ntwo", "three", "four", "five"]) == "one; two (2 times); three; and 2 more"


def test_the_search_index_is_not_read_for_the_check_and_all_is_allowed_afterwards(tmp_path: Path):
    """Its own check takes five times as long as that of all else."""
    file, read = closed_database(tmp_path / "a.db", 3).path, []
    with opened(uri_of(file, "rw"), file) as connection:
        connection.set_trace_callback(read.append)
        assert fault_in_file(connection, "integrity_check") is None
        assert any("integrity_check" in each for each in read)
        assert not any("search_content" in each for each in read)
        assert connection.execute("SELECT count(*) FROM search").fetchone() == (3,)
        connection.execute("UPDATE work_items SET title = 'Another'")


def test_a_page_that_belongs_to_two_tables_is_found(tmp_path: Path):
    """Each of the two is whole for itself."""
    file = closed_database(tmp_path / "a.db", 3).path
    execute(file, "CREATE TABLE one (id INTEGER)", "CREATE TABLE two (id INTEGER)")
    with opened(uri_of(file, "rw"), file) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        of_one = "(SELECT rootpage FROM sqlite_schema WHERE name = 'one')"
        connection.execute(f"UPDATE sqlite_schema SET rootpage = {of_one} WHERE name = 'two'")
    with opened(uri_of(file, "rw"), file) as connection:
        assert "2nd reference to page" in str(fault_in_file(connection, "integrity_check"))
