"""What SQLite's checks say, in words for a person."""

from pathlib import Path

import pytest

from app.database.contents import refuse_unsound, said_by_check
from app.database.sqlite import opened, unchanging
from app.errors import Broken
from tests.app.backup.databases import execute

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
