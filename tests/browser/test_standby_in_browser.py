"""A page that meets a standby comes back by itself, with JavaScript and without."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running import running_app


@pytest.mark.long
def test_a_page_that_met_a_standby_comes_back_by_itself(browser: Browser, javascript: bool, tmp_path: Path):
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    with running_app(tmp_path, AUTH_DISABLED="true") as first:
        # The second one asks for the database, and the first one stands by from then on.
        with running_app(tmp_path, AUTH_DISABLED="true"):
            page.goto(first.url)
            expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
        expect(page.get_by_label("New work item")).to_be_visible(timeout=20_000)
    context.close()
