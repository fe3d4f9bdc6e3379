"""The promise: the container is rebuilt, replaced, renamed, and everything is still there."""

from tests.containers.conftest import Project, Run
from tests.containers.running import WITHOUT_SIGN_IN, Site, docker

PLAN = {"Move house": ["Pack the books", "Call the movers"], "Garden": []}


def write_plan(site: Site) -> None:
    for title, tasks in PLAN.items():
        site.add_item(title, *tasks)
    assert site.items() == PLAN


def test_compose_down_and_up_again_with_a_new_image(project: Project):
    first = project.up()
    write_plan(project.site)
    image = docker("inspect", "--format", "{{.Image}}", first.name).stdout
    project.compose("down")

    (project.folder / "app/rebuilt.py").write_text("# The image is another one now.\n")
    second = project.up()
    assert docker("inspect", "--format", "{{.Image}}", second.name).stdout != image
    assert project.site.items() == PLAN


def test_a_renamed_folder_opens_the_same_volume(project: Project):
    project.up()
    write_plan(project.site)
    project.compose("down")

    project.folder = project.folder.rename(project.folder.with_name("renamed"))
    project.up()
    assert project.site.items() == PLAN


def test_docker_run_with_a_volume_after_the_container_is_removed(run: Run, volume: str):
    options = [*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data"]
    first = run(*options)
    first.wait_until_ready()
    write_plan(first.site)
    docker("rm", "--force", first.name)

    second = run(*options)
    second.wait_until_ready()
    assert second.site.items() == PLAN
    assert second.integrity() == "ok"
