"""backupSchedule: five fields of cron in numbers, as the app and the providers' snapshots take them."""

import re

MINUTE, HOUR, DAY, MONTH, WEEKDAY = range(5)
FIELD = re.compile(r"(\*|\d+(-\d+)?(,\d+(-\d+)?)*)(/[1-9]\d*)?", re.ASCII)
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The days of each month in the year that has most."""


def why_not(line: str) -> str | None:
    """What is wrong with it, None for a line that comes at some time."""
    fields = line.split()
    if len(fields) != len(LIMITS) or not all(map(is_field, fields, LIMITS)):
        return "it must be five cron fields (minute hour day month weekday) or off."
    if never_comes(fields[DAY], fields[MONTH], fields[WEEKDAY]):
        return "it never comes, because no month that it names has such a day."
    return None


def is_field(field: str, limits: tuple[int, int]) -> bool:
    low, high = limits
    named = [int(number) for number in re.findall(r"\d+", field.partition("/")[0])]
    forward = all(int(first) <= int(last) for first, last in re.findall(r"(\d+)-(\d+)", field))
    return bool(FIELD.fullmatch(field)) and forward and all(low <= number <= high for number in named)


def never_comes(day: str, month: str, weekday: str) -> bool:
    """Where neither field begins with a star, cron takes a day that either of day and weekday names."""
    if not day.startswith("*") and not weekday.startswith("*"):
        return False
    return min(numbers(day, DAY)) > max(LONGEST[number - 1] for number in numbers(month, MONTH))


def numbers(field: str, which: int) -> set[int]:
    """All that a field names."""
    low, high = LIMITS[which]
    found: set[int] = set()
    for part in field.replace("*", f"{low}-{high}").split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        end = last or (high if step else first)
        found.update(range(int(first), int(end) + 1, int(step or 1)))
    return found


def first_number(line: str, which: int, otherwise: int) -> int:
    """With which the field begins."""
    found = re.match(r"\d+", line.split()[which])
    return int(found.group()) if found else otherwise
