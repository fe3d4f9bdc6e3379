"""A person's own way: account, work items and tasks in the browser, then a new container, and all is still there."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.containers.conftest import Project, Run
from tests.containers.running import docker

pytestmark = [pytest.mark.browser, pytest.mark.long]
ITEM, TASKS = "Move house", ["Pack the books", "Call the movers"]


@pytest.fixture
def page(browser: Browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def write_item(page: Page) -> None:
    page.get_by_label("New work item").fill(ITEM)
    page.get_by_label("New work item").press("Enter")
    page.get_by_role("link", name=ITEM).click()
    for number, task in enumerate(TASKS, start=1):
        page.get_by_label("New task").fill(task)
        page.get_by_label("New task").press("Enter")
        expect(page.locator("#tasks > li")).to_have_count(number)


def expect_item(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("footer")).to_contain_text("Saved on a volume of its own")
    page.get_by_role("link", name=ITEM).click()
    for task in TASKS:
        expect(page.locator("#tasks")).to_contain_text(task)


def test_from_the_set_up_code_to_a_new_container_with_docker_run(run: Run, volume: str, page: Page):
    first = run("--volume", f"{volume}:/app/data")
    first.wait_until_ready()
    page.goto(first.site.url)
    page.get_by_label("Set-up code").fill(first.setup_code())
    page.get_by_label("Email").fill("you@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Make the account").click()
    write_item(page)
    docker("rm", "--force", first.name)

    second = run("--volume", f"{volume}:/app/data")
    second.wait_until_ready()
    expect_item(page, second.site.url)


def test_compose_up_down_and_up_again_without_sign_in(project: Project, page: Page):
    project.up()
    page.goto(project.site.url)
    write_item(page)
    project.compose("down")
    project.up()
    expect_item(page, project.site.url)
