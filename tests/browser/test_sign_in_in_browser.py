"""The first account through the set-up code in the log, then signing in and out, tokens and accounts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched_page
from tests.browser.running import RunningApp, running_app

EMAIL, PASSWORD = "ann@example.com", "a long enough one"


@pytest.fixture
def locked_app(browser: Browser, tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path) as app:
        yield app


@pytest.fixture
def page(browser: Browser, locked_app: RunningApp, javascript: bool) -> Iterator[Page]:
    yield from watched_page(browser, locked_app, java_script_enabled=javascript)


def set_up(page: Page, code: str) -> None:
    page.get_by_label("Set-up code").fill(code)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_from_the_set_up_code_to_a_second_account(page: Page, locked_app: RunningApp) -> None:
    expect(page.locator("main")).to_contain_text("docker compose logs app")
    set_up(page, "AAAA-AAAA")
    expect(page.locator(".complaint").last).to_contain_text("This is not the code")
    expect(page.get_by_label("Email")).to_have_value(EMAIL)
    code = re.search(r"set-up code: (\w{4}-\w{4})", locked_app.log())
    assert code
    set_up(page, code[1])
    expect(page.get_by_role("heading", level=1)).to_have_text("Work items")

    page.get_by_role("link", name="Accounts").click()
    page.get_by_label("Email", exact=True).fill("ben@example.com")
    page.get_by_label("First password").fill("short")
    page.locator("form.card").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".field .complaint")).to_have_text("At least 12 characters.")
    page.get_by_label("First password").fill(PASSWORD)
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".notice")).to_have_text("ben@example.com can sign in now.")

    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".notice")).to_have_text("You are signed out, here and on all your other devices.")
    page.goto("/trash")
    sign_in(page, "ben@example.com", "not the right one")
    expect(page.get_by_role("alert").first).to_contain_text("don't fit together")
    sign_in(page, "ben@example.com", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Trash")
    expect(page.get_by_role("link", name="Accounts")).to_have_count(0)


def test_tokens_and_passwords(page: Page, locked_app: RunningApp) -> None:
    code = re.search(r"set-up code: (\w{4}-\w{4})", locked_app.log())
    assert code
    set_up(page, code[1])
    page.get_by_role("link", name="My account").click()
    page.get_by_label("Name of a new token").fill("backup")
    page.get_by_label("It expires").select_option("never")
    page.get_by_label("Your password").fill("not the right one")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator(".field .complaint")).to_have_text("This is not your password.")
    expect(page.get_by_label("It expires")).to_have_value("never")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make token").click()
    token = page.locator("#new-token").inner_text()
    assert len(token) > 20
    page.get_by_role("link", name="My account").click()
    expect(page.locator("main")).not_to_contain_text(token)
    expect(page.locator(".token .left")).to_contain_text("may read, never expires, no use seen yet")
    page.get_by_role("button", name="Delete the token backup").click()
    expect(page.locator(".notice")).to_contain_text("no longer works")

    page.get_by_label("Current password").fill("not the right one")
    page.get_by_label("New password").fill("another long enough one")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".complaint").first).to_be_visible()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("another long enough one")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".notice")).to_contain_text("password is changed")
    for width in (1080, 360):
        page.set_viewport_size({"width": width, "height": 740})
        for path in ("/account", "/accounts"):
            page.goto(path)
            assert page.locator("html").evaluate("e => e.scrollWidth") == width
