"""For all tests: the browser they share, and the names of those that were skipped; with --all, a skip is a failure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium, once for the whole run: Playwright can't be started twice in a process."""
    from playwright.sync_api import sync_playwright

    from tests.browser.running import CHROMIUM, chromium

    if CHROMIUM is None:
        pytest.skip("there is no Chromium: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        yield chromium(playwright)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="a test that would skip fails")


def reason_to_skip(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why pytest skipped it, without the file and line that pytest puts before."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"This can't run here, and --all asks for every test: {reason_to_skip(report)}"
        report.outcome = "failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if item.config.getoption("--all"):
        fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    if collector.config.getoption("--all"):
        fail_if_skipped(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    names_by_reason: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        names_by_reason[reason_to_skip(report)].append(report.nodeid)
    if not names_by_reason:
        return
    terminalreporter.section("not run on this machine")
    for reason, names in names_by_reason.items():
        terminalreporter.line(f"{reason}:")
        for name in names:
            terminalreporter.line(f"  {name}")
