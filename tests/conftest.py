"""For all tests: the browser they share, what they measured, and the names of those that were skipped.

With --all, a skip is a failure.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


NOBODY = "http://127.0.0.1:9"
METADATA = {
    "AWS_METADATA_ENDPOINT": NOBODY,
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": NOBODY,
    "GCE_METADATA_HOST": "127.0.0.1:9",
    "GCE_METADATA_IP": "127.0.0.1:9",
    "IDENTITY_ENDPOINT": NOBODY,
    "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1"))),
}
"""obstore and the clouds' tools ask the address of machines' metadata, 169.254.169.254, by themselves."""


@pytest.fixture(scope="session", autouse=True)
def nobody_answers_for_the_cloud() -> Iterator[None]:
    """In every test, and in every process that one starts, nobody answers there: for the whole run, so that what is
    shared by many tests has it as well."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in METADATA.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium, once for the whole run: Playwright can't be started twice in a process."""
    from playwright.sync_api import sync_playwright

    from tests.browser.running import CHROMIUM, chromium

    if CHROMIUM is None:
        pytest.skip("there is no Chromium: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        yield chromium(playwright)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """measured(what was seen, in words): for the list at the end of the run."""
    return partial(record_property, MEASURED)


MEASURED = "measured"
# Folders whose tests share what is costly to make. With -n each of them is for one process; else each file is.
SHARING = ("mounts", "containers", "browser", "adversary")
LONG = ("mounts", "adversary")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(Path(__file__).parent).parts[0]

    for item in items:
        if folder(item) in LONG:
            item.add_marker("long")
    # What takes longest begins first.
    items.sort(key=lambda item: SHARING.index(folder(item)) if folder(item) in SHARING else len(SHARING))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means. Many of the short tests wait, for a container say, so two processes more than there are
    cores run meanwhile; the long ones need the cores."""
    cores = os.cpu_count() or 1
    return cores if config.getoption("--all") else cores + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """What -n gives to one process: a folder of SHARING, else a file.

    xdist's own groups do nothing with pytest 9.2: they are written to `_nodeid`, which pytest reads no more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = next((name for name in SHARING if f"tests/{name}/" in file), None)
            return folder or file

    return ByFolder(config, log)  # pyright: ignore[reportArgumentType]


# What --all does not ask for: Pulumi's commands come from no package registry, and actionlint needs Go to be built.
NOT_ASKED_FOR = (
    "no `pulumi` on the PATH",
    "no `pulumi-resource-docker` on the PATH",
    "no `actionlint` on the PATH",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="a test that would skip fails, unless it lacks only Pulumi")
    parser.addoption("--soak", action="store_true", help="tests/mounts run as long as for the docs' figures")


def reason_to_skip(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why pytest skipped it, without the file and line that pytest puts before."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and reason_to_skip(report) not in NOT_ASKED_FOR:
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
    name_what_was_measured(terminalreporter)
    name_what_was_skipped(terminalreporter)


def name_what_was_measured(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    lines = [str(value) for report in reports for name, value in report.user_properties if name == MEASURED]
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.line(line)


def name_what_was_skipped(terminalreporter: pytest.TerminalReporter) -> None:
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
