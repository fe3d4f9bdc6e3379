"""The first account: through the code in the log, through .env, or none at all on one's own machine."""

from pathlib import Path

from tests.containers.conftest import Project, Run
from tests.containers.running import ROOT, Site, docker

EMAIL, PASSWORD = "you@example.com", "correct horse battery"


def signed_in(site: Site) -> bool:
    return site.get("/", allow_redirects=False).status_code == 200


def test_the_code_in_the_log_makes_the_first_account(run: Run, volume: str):
    container = run("--volume", f"{volume}:/app/data", hardened=False)
    container.wait_until_ready()
    site = container.site
    assert not signed_in(site)

    wrong = site.post("/setup", data={"code": "AAAA-AAAA", "email": EMAIL, "password": PASSWORD})
    assert wrong.status_code == 422
    assert not signed_in(site)
    right = {"code": container.setup_code(), "email": EMAIL, "password": PASSWORD}
    site.post("/setup", data=right)
    assert signed_in(site)

    somebody_else = Site(site.port)
    somebody_else.post("/setup", data=right)
    assert not signed_in(somebody_else)
    somebody_else.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert signed_in(somebody_else)


def test_the_account_and_its_session_outlive_the_container(run: Run, volume: str):
    first = run("--volume", f"{volume}:/app/data")
    first.wait_until_ready()
    first.site.post("/setup", data={"code": first.setup_code(), "email": EMAIL, "password": PASSWORD})
    docker("rm", "--force", first.name)

    second = run("--volume", f"{volume}:/app/data")
    second.wait_until_ready()
    assert "set-up code" not in second.logs()
    second.site.session = first.site.session
    assert signed_in(second.site)


def test_a_lost_password_is_reset_inside_the_running_container(run: Run, volume: str):
    container = run("--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    container.site.post("/setup", data={"code": container.setup_code(), "email": EMAIL, "password": PASSWORD})
    told = docker("exec", container.name, "task-assist", "reset-password", EMAIL).stdout

    assert not signed_in(container.site)
    container.site.post("/sign-in", data={"email": EMAIL, "password": told.split()[-1]})
    assert signed_in(container.site)


def test_the_sample_settings_work_as_an_env_file(run: Run, volume: str, tmp_path: Path):
    sample = (ROOT / ".env.sample").read_text()
    settings = tmp_path / ".env"
    settings.write_text(sample)
    untouched = run("--volume", f"{volume}:/app/data", "--env-file", str(settings))
    untouched.wait_until_ready()
    assert untouched.setup_code()
    docker("rm", "--force", untouched.name)

    filled_in = sample.replace("#ADMIN_EMAIL=", "ADMIN_EMAIL=").replace("#TZ=", "TZ=")
    filled_in = filled_in.replace("#ADMIN_PASSWORD=<a long password of your own>", f"ADMIN_PASSWORD={PASSWORD}")
    settings.write_text(filled_in)
    container = run("--volume", f"{volume}:/app/data", "--env-file", str(settings))
    container.wait_until_ready()
    assert PASSWORD not in container.logs()
    container.site.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert signed_in(container.site)


def test_compose_asks_for_no_sign_in_unless_dot_env_says_so(project: Project):
    project.up()
    assert signed_in(project.site)

    (project.folder / ".env").write_text("AUTH_DISABLED=false\n")
    container = project.up()
    assert not signed_in(project.site)
    assert container.setup_code()


def test_without_sign_in_another_container_is_not_this_machine_whatever_it_sends(project: Project):
    container = project.up()
    address = docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container.name
    ).stdout.strip()
    asked = (
        "import http.client as h; c = h.HTTPConnection('%s', 8000, timeout=20); "
        "c.request('GET', '/', headers={'Host': 'localhost:8000'}); a = c.getresponse(); print(a.status, a.read())"
    )
    compose = ("run", "--rm", "--no-deps", "-T", "app", "python", "-c", asked % address)
    answer = project.compose(*compose).stdout
    assert answer.startswith("403 ")
    assert "only requests made on this machine" in answer
    assert signed_in(project.site), "which comes through the published port"
    doctor = docker("exec", container.name, "task-assist", "doctor", check=False).stdout
    assert "from where the engine passes on what comes to a published port" in doctor
