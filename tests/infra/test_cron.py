"""A schedule that the kit takes, the app takes, too; and neither takes one that never comes."""

from itertools import product

import pytest

import cron
from app.setting_values import schedule

DAYS = ("*", "*/40", "1", "29", "30", "31", "30-31", "30,1", "31/2")
MONTHS = ("*", "*/12", "2", "4", "2,4", "2-4/2", "2-5", "9/2")
WEEKDAYS = ("*", "1", "*/2", "0-6")
LINES = [f"0 0 {day} {month} {weekday}" for day, month, weekday in product(DAYS, MONTHS, WEEKDAYS)]


def refusal(line: str) -> str:
    """The app's, empty for a line that it takes."""
    try:
        schedule(line)
    except ValueError as error:
        return str(error)
    return ""


def test_the_kit_and_the_app_refuse_the_same_days_that_never_come():
    never = [line for line in LINES if "never comes" in (cron.why_not(line) or "")]
    assert never == [line for line in LINES if "never comes" in refusal(line)]
    assert [line for line in LINES if refusal(line)] == never
    assert {"0 0 31 2 *", "0 0 30-31 2 */2"} <= set(never) and "0 0 31 2 1" not in never


@pytest.mark.parametrize(
    "line",
    ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-3 * * * *", "٣ 3 * * *"],
)
def test_what_is_no_line_of_cron_is_told_as_that_by_both(line: str):
    assert "five cron fields" in (cron.why_not(line) or "")
    assert "Five fields of cron" in refusal(line)


def test_the_numbers_of_a_field_are_those_that_it_means():
    assert cron.numbers("2-9/3,1", cron.DAY) == {1, 2, 5, 8}
    assert cron.numbers("10/6", cron.MONTH) == {10}
    assert cron.numbers("*", cron.MONTH) == set(range(1, 13))
