"""When backups are made: each time once, whatever the clocks do, and which of them stay."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from app.backup.schedule.retention import FEWEST, names_to_keep
from app.backup.schedule.schedule import MOST_JITTER, due, jitter, last_run, next_after
from app.backup.stores import claims
from app.backup.stores.claims import STALE_AFTER, claimed, sweep_claims
from app.backup.stores.store import StoreFailed, store_at
from app.backup.stores.stored_backup import new_name, time_of, without_future
from app.setting_values import keep_rules, schedule
from tests.app.processes import eventually

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")]
zones = some.sampled_from(ZONES)
# Not 2011, in which Apia had no 30 December: no backup is made for a day of the past.
moments = some.integers(1_325_400_000, 2_200_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
near_changes = some.builds(
    lambda at, hours: at + timedelta(hours=hours),
    some.sampled_from(
        [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
    ),
    some.floats(-30, 30, allow_nan=False),
)
expressions = some.one_of(
    some.builds("{} {} * * *".format, some.integers(0, 59), some.integers(0, 23)),
    some.builds("{} * * * *".format, some.integers(0, 59)),
    some.builds("*/{} * * * *".format, some.integers(1, 59)),
    some.builds("{} {} {} * *".format, some.integers(0, 59), some.integers(0, 23), some.integers(1, 28)),
    some.builds("{} 2 * * {}".format, some.integers(0, 59), some.integers(0, 7)),
    some.sampled_from(["0 0 L * *", "30 2 29 2 *", "15 3 1,15 * *", "0 2-4 * * 1-5"]),
)


@given(expressions, zones, some.one_of(moments, near_changes))
@settings(max_examples=300, deadline=None)
def test_the_next_time_is_always_later_and_in_utc(expression: str, zone: ZoneInfo, after: datetime):
    found = next_after(expression, zone, after)
    assert found > after and found.tzinfo == UTC and found.second == found.microsecond == 0


@given(zones, some.one_of(moments, near_changes), some.integers(0, 59), some.integers(0, 23))
@settings(max_examples=300, deadline=None)
def test_a_daily_backup_is_made_at_its_time_of_the_day_and_once_a_day(zone, after: datetime, minute: int, hour: int):
    """But where the clock skips that time, there it is made when the clock goes on."""
    times = [after]
    for _ in range(4):
        times.append(next_after(f"{minute} {hour} * * *", zone, times[-1]).astimezone(zone))
    days = [each.date() for each in times[1:]]
    assert len(set(days)) == len(days)
    assert all(b - a <= timedelta(days=2, hours=2) for a, b in pairwise(days))
    for each in times[1:]:
        exists = each.replace(hour=hour, minute=minute).astimezone(UTC).astimezone(zone)
        assert (each.hour, each.minute) == (hour, minute) or (exists.hour, exists.minute) != (hour, minute)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_in_the_hour_that_is_repeated_no_time_is_left_out_or_given_twice(zone: ZoneInfo):
    at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    for _ in range(12 * 24 * 9):
        following = next_after("*/5 * * * *", zone, at)
        assert following - at == timedelta(minutes=5)
        at = following


def test_what_cronsim_gives_that_has_passed_is_skipped():
    """In the second 2 o'clock of that night, for a minute of the first one."""
    second = datetime(2026, 10, 25, 1, 0, 30, tzinfo=UTC)
    assert next_after("59 1,2 * * *", ZONES[1], second) == datetime(2026, 10, 26, 0, 59, tzinfo=UTC)


def run(at: datetime, made: datetime | None = None) -> Any:
    return SimpleNamespace(scheduled_for=at, created_at=made or at)


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_first_backup_of_all_is_due_at_once():
    assert due("15 3 * * *", ZONES[0], None, NOON) == NOON


def test_one_that_was_missed_is_made_up_once():
    """As after a week in which the machine was off."""
    last = last_run([run(NOON - timedelta(days=7))], NOON)
    at = due("15 3 * * *", ZONES[0], last, NOON)
    assert at and at == datetime(2026, 5, 26, 3, 15, tzinfo=UTC)
    after = last_run([run(at, NOON), run(NOON - timedelta(days=7))], NOON)
    assert due("15 3 * * *", ZONES[0], after, NOON) is None
    assert due("15 3 * * *", ZONES[0], after, NOON + timedelta(hours=15, minutes=15)) == NOON + timedelta(
        hours=15, minutes=15
    )


def test_what_a_person_asked_for_is_no_run_of_the_schedule():
    by_hand: Any = SimpleNamespace(scheduled_for=None, created_at=NOON)
    assert last_run([by_hand, run(NOON - timedelta(days=1))], NOON) == NOON - timedelta(days=1)
    assert last_run([by_hand], NOON) is None


def test_a_clock_that_was_wrong_once_stops_no_schedule():
    future = run(NOON + timedelta(days=400))
    assert last_run([future, run(NOON - timedelta(days=1))], NOON) == NOON - timedelta(days=1)
    assert last_run([run(NOON + timedelta(minutes=2))], NOON) == NOON + timedelta(minutes=2)


@given(expressions, zones, near_changes, some.lists(some.integers(1, 4000), min_size=20, max_size=60))
@settings(max_examples=60, deadline=None)
def test_who_asks_at_any_times_makes_each_backup_once_and_leaves_none_out(expression, zone, start, pauses: list[int]):
    """Asked more often than the schedule, there is one backup a time; more seldom, one for all that was missed."""
    now, runs = start, [run(start)]
    for minutes in pauses:
        before, now = now, now + timedelta(minutes=minutes)
        missed = next_after(expression, zone, max(before, runs[-1].created_at)) <= now
        at = due(expression, zone, last_run(reversed(runs), now), now)
        assert (at is not None) == missed
        if at:
            assert runs[-1].created_at < at <= now
            runs.append(run(at, now))


@given(moments)
def test_jitter_is_the_same_for_the_same_time_and_differs_between_places(at: datetime):
    assert jitter(at, "s3://a") == jitter(at.astimezone(ZONES[1]), "s3://a")
    assert all(timedelta(0) <= jitter(at, place) < MOST_JITTER for place in "abcdefgh")
    assert len({jitter(at, place) for place in "abcdefghijklmnop"}) > 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * *", "Five fields"),
        ("0 15 3 * * *", "Five fields"),
        ("@daily", "Five fields"),
        ("61 3 * * *", "minute"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 30,31 FEB *", "never comes"),
        ("0 0 31 13 *", "month"),
        ("0 0 32 2 *", "cronsim says: Bad day-of-month"),
        ("0 0 29 2 MON#6", "day"),
        ("OFF", "Five fields"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        schedule(text)


def test_off_and_five_fields_are_taken():
    assert [schedule(text) for text in ("off", "15 3 * * *", "0 2 * * MON-FRI")]


def test_what_is_named_in_the_future_is_not_past():
    names = [new_name("a", NOON + timedelta(minutes=minutes)) for minutes in (-60, 9, 11, 525_600)]
    assert without_future(names, NOON) == names[:2]


# --- claims -------------------------------------------------------------------------------------------------


def test_one_time_of_one_job_is_for_one_instance(tmp_path: Path):
    store = store_at(tmp_path.as_uri())
    now = datetime.now(UTC)
    with claimed(store, "backup", NOON, now, "one") as mine, claimed(store, "backup", NOON, now, "two") as theirs:
        assert (mine, theirs) == (True, False)
        with claimed(store, "backup", NOON + timedelta(days=1), now, "two") as other:
            assert other
    with claimed(store, "backup", NOON, now, "two") as again:
        assert not again


def test_a_run_that_failed_may_be_tried_again_at_once_and_one_that_was_killed_later(tmp_path: Path):
    store = store_at(tmp_path.as_uri())
    now = datetime.now(UTC)
    with pytest.raises(ZeroDivisionError), claimed(store, "backup", NOON, now, "one"):
        raise ZeroDivisionError
    with claimed(store, "backup", NOON, now, "two") as mine:  # and is killed here: its claim stays
        assert mine
    with claimed(store, "backup", NOON, now + STALE_AFTER / 2, "three") as early:
        assert not early
    with claimed(store, "backup", NOON, now + STALE_AFTER * 2, "four") as late:
        assert late
    sweep_claims(store, now + timedelta(days=1))
    assert len(store.entries()) == 2
    sweep_claims(store, now + timedelta(days=9))
    assert store.entries() == []


def numbers(folder: Path) -> list[int]:
    return sorted(int(file.stem.rpartition("-")[2]) for file in folder.glob("*.claim"))


def test_a_run_that_takes_long_keeps_its_claim_and_leaves_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(claims, "CLAIMED_ANEW_EVERY", 0.005)
    store = store_at(tmp_path.as_uri())
    now = datetime.now(UTC)
    with claimed(store, "backup", NOON, now, "one"):
        eventually(lambda: numbers(tmp_path) > [2] and len(numbers(tmp_path)) == 1)
        with claimed(store, "backup", NOON, now, "two") as mine:
            assert not mine


def test_one_whose_claim_another_has_taken_over_leaves_it_to_him(tmp_path: Path):
    store = store_at(tmp_path.as_uri())
    now = datetime.now(UTC)
    with pytest.raises(ZeroDivisionError), claimed(store, "backup", NOON, now, "one"):
        with claimed(store, "backup", NOON, now + STALE_AFTER * 2, "two") as mine:
            assert mine
        raise ZeroDivisionError
    assert numbers(tmp_path) == [2]


def test_a_claim_that_can_not_be_removed_hides_nothing(tmp_path: Path, monkeypatch):
    store = store_at(tmp_path.as_uri())

    def refuses(_: str) -> None:
        raise StoreFailed("No route.")

    monkeypatch.setattr(store, "remove", refuses)
    with pytest.raises(ZeroDivisionError), claimed(store, "backup", NOON, datetime.now(UTC), "one"):
        raise ZeroDivisionError


# --- retention ----------------------------------------------------------------------------------------------

NAMES = ("last", "daily", "weekly", "monthly")
rules = some.tuples(some.integers(0, 5), some.integers(0, 9), some.integers(0, 6), some.integers(0, 14)).map(
    lambda numbers: " ".join(f"{rule}={number}" for rule, number in zip(NAMES, numbers, strict=True))
)
name_lists = some.lists(moments, unique=True, max_size=60).map(lambda times: [new_name("a", at) for at in times])


@given(name_lists, rules, zones)
@settings(max_examples=200, deadline=None)
def test_the_newest_three_stay_whatever_the_rules_say(names: list[str], text: str, zone: ZoneInfo):
    newest = sorted(names, key=time_of)[-FEWEST:]
    assert {time_of(name) for name in newest} <= {time_of(name) for name in names_to_keep(names, text, zone)}


@given(name_lists, rules, zones)
@settings(max_examples=200, deadline=None)
def test_who_prunes_twice_prunes_once(names: list[str], text: str, zone: ZoneInfo):
    stay = names_to_keep(names, text, zone)
    assert names_to_keep(stay, text, zone) == stay <= set(names)


@given(zones, some.one_of(moments, near_changes), some.integers(0, 23))
@settings(max_examples=4, deadline=None)
def test_of_a_backup_each_night_there_are_seven_days_four_weeks_and_twelve_months(zone, start: datetime, hour: int):
    """Pruned each night for 14 months, over the changes of the clock and the ends of months."""
    names: set[str] = set()
    at = start
    for _ in range(430):
        at = next_after(f"0 {hour} * * *", zone, at)
        names = names_to_keep(names | {new_name("a", at)}, "last=3 daily=7 weekly=4 monthly=12", zone)
    local = sorted((time_of(name).astimezone(zone) for name in names), reverse=True)
    assert 19 <= len(local) <= 23
    assert len({each.date() for each in local[:7]}) == 7 and local[0] - local[6] < timedelta(days=6, hours=2)
    assert len({(each.year, each.month) for each in local}) == 12
    weeks = {(at - timedelta(weeks=back)).astimezone(zone).isocalendar()[:2] for back in range(4)}
    assert {each.isocalendar()[:2] for each in local} >= weeks


def test_a_burst_of_backups_by_hand_pushes_no_old_day_out():
    nights = [new_name("a", NOON - timedelta(days=back)) for back in range(7)]
    burst = [new_name("a", NOON + timedelta(minutes=minute)) for minute in range(30)]
    stay = names_to_keep(nights + burst, "last=3 daily=7", ZONES[0])
    assert set(nights[1:]) <= stay and len(stay) == 9


@pytest.mark.parametrize(
    "text", ["last", "last=", "last=-1", "yearly=1", "last=3,daily=7", "last=3 last=4", "daily=1e3"]
)
def test_rules_that_mean_nothing_are_refused(text: str):
    with pytest.raises(ValueError, match=re.compile("Some of last=N|twice")):
        keep_rules(text)
