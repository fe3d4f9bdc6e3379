"""The model itself: what it lets pass, and what it doesn't."""

from tests.adversary.records import Records, unlike


def test_what_was_acknowledged_must_be_there():
    records = Records()
    records.asked("a", 0)
    records.acknowledged("a", 0)
    assert unlike({"a": 0}, records.now()) == []
    assert unlike({}, records.now()) == ["a is not there, and must be change 0"]
    assert unlike({"a": 1}, records.now()) == ["a is change 1, and must be change 0"]


def test_what_got_no_answer_may_be_there_or_not():
    records = Records()
    records.asked("a", 0)
    assert unlike({}, records.now()) == unlike({"a": 0}, records.now()) == []
    assert len(unlike({"a": 1}, records.now())) == 1


def test_what_was_refused_with_nothing_changed_must_not_be_there():
    records = Records()
    before = records.asked("a", 0)
    records.refused("a", before)
    assert unlike({"a": 0}, records.now()) == ["a is change 0, and must be not there"]


def test_what_was_deleted_must_not_come_back():
    records = Records()
    records.acknowledged("a", 0)
    records.asked("a", None)
    records.acknowledged("a", None)
    assert unlike({}, records.now()) == []
    assert unlike({"a": 0}, records.now()) == ["a is change 0, and must be not there"]


def test_a_copy_may_hold_each_value_of_the_time_in_which_it_was_made():
    records = Records()
    records.acknowledged("a", 0)
    with records.moment() as held:
        records.acknowledged("a", 1)
        records.acknowledged("b", 0)
    records.acknowledged("a", 2)
    for found in ({"a": 0}, {"a": 1}, {"a": 1, "b": 0}):
        assert unlike(found, held) == []
    assert len(unlike({"a": 2}, held)) == len(unlike({}, held)) == 1


def test_what_was_on_its_way_in_a_moment_that_is_not_sure_may_be_there_or_not():
    records = Records()
    records.acknowledged("before", 0)
    for mark in ("answered in it", "answered behind it"):
        records.asked(mark, 0)
    with records.unsure():
        records.acknowledged("answered in it", 0)
    records.acknowledged("answered behind it", 0)
    records.asked("after", 0)
    records.acknowledged("after", 0)
    sure = {"before": 0, "after": 0}
    assert unlike(sure, records.now()) == unlike({**sure, "answered in it": 0}, records.now()) == []
    assert unlike({**sure, "answered behind it": 0}, records.now()) == []
    assert unlike({"before": 0}, records.now()) == ["after is not there, and must be change 0"]


def test_what_came_after_the_copy_that_was_put_back_is_not_there_any_more():
    records = Records()
    with records.moment() as held:
        pass
    records.acknowledged("a", 0)
    records.go_back(held)
    assert unlike({}, records.now()) == []
    assert unlike({"a": 0}, records.now()) == ["a is there, and was never acknowledged here"]
