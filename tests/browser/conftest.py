"""A browser at the running app. Every page it sees must be free of console errors and blocked content."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.running import RunningApp, running_app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app"), AUTH_DISABLED="true") as app:
        yield app


@pytest.fixture(params=[True, False], ids=["JavaScript", "no-JavaScript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def page(browser: Browser, app: RunningApp, javascript: bool) -> Iterator[Page]:
    """A page at the empty list of work items, with JavaScript and without."""
    app.empty()
    yield from watched_page(browser, app, java_script_enabled=javascript)


def watched_page(browser: Browser, app: RunningApp, **options) -> Iterator[Page]:
    context = browser.new_context(base_url=app.url, **options)
    context.set_default_timeout(5000)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    yield page
    context.close()
    # A page that answers 404 or 422 is one of the app's own, and Chromium notes it in the console; so does htmx a
    # server that is gone.
    expected = ("Failed to load resource", "htmx: htmx:error: Failed to fetch")
    assert [text for text in complaints if not text.startswith(expected)] == []
