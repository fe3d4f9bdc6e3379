"""scripts/install makes .venv once, from what is on the machine, and says what to type where it can't."""

import pytest

from tests.scripts.conftest import Checkout

# What uv and python3 leave when they make a virtual environment.
MAKE_VENV = """
  rm -rf .venv; mkdir -p .venv/bin
  printf '#!/bin/sh\\necho "python $*" >>calls\\n' >.venv/bin/python; chmod +x .venv/bin/python"""
UV = f'case "$1" in venv) {MAKE_VENV} ;; esac'
PYTHON3 = f'case "$*" in "-m venv"*) {MAKE_VENV} ;; esac'


@pytest.fixture(autouse=True)
def requirement_files(checkout: Checkout) -> None:
    (checkout.path / "requirements").mkdir()
    for name in ("app", "scripts", "dev", "aws"):
        (checkout.path / f"requirements/{name}.txt").write_text(f"{name}==1\n")


def test_it_installs_the_pinned_hashes_with_uv_and_then_has_nothing_to_do(checkout: Checkout):
    checkout.tool("uv", UV)
    assert checkout.run("scripts/install").returncode == 0
    venv, install = [call for call in checkout.calls() if call.startswith("uv")]
    assert venv == "uv venv --quiet --clear --seed --python >=3.11 .venv"
    assert "--require-hashes -r requirements/app.txt -r requirements/scripts.txt" in install

    again = checkout.run("scripts/install")
    assert (again.returncode, again.stdout) == (0, "")
    assert not [call for call in checkout.calls() if call.startswith("uv")]


def test_without_uv_it_uses_the_pip_of_python3(checkout: Checkout):
    checkout.tool("python3", PYTHON3)
    assert checkout.run("scripts/install", "aws").returncode == 0
    calls = checkout.calls()
    assert "python3 -m venv --clear .venv" in calls
    assert calls[-1].startswith("python -m pip install")
    assert "--require-hashes -r requirements/app.txt -r requirements/scripts.txt -r requirements/aws.txt" in calls[-1]


def test_the_uv_that_dev_brings_installs_what_comes_later(checkout: Checkout):
    checkout.tool("python3", PYTHON3)
    checkout.run("scripts/install", "dev")
    uv = checkout.path / ".venv/bin/uv"
    uv.write_text('#!/bin/sh\necho "uv of .venv: $*" >>calls\n')
    uv.chmod(0o755)
    checkout.calls()
    assert checkout.run("scripts/install", "aws").returncode == 0
    assert checkout.calls()[-1].startswith("uv of .venv: pip install")


def test_a_cloud_is_added_to_what_is_there(checkout: Checkout):
    checkout.tool("uv", UV)
    checkout.run("scripts/install")
    checkout.calls()
    assert checkout.run("scripts/install", "aws").returncode == 0
    (install,) = [call for call in checkout.calls() if call.startswith("uv")]
    assert "-r requirements/aws.txt" in install


def test_a_changed_pin_is_installed(checkout: Checkout):
    checkout.tool("uv", UV)
    checkout.run("scripts/install")
    checkout.calls()
    (checkout.path / "requirements/app.txt").write_text("app==2\n")
    checkout.run("scripts/install")
    assert [call for call in checkout.calls() if call.startswith("uv pip install")]


def test_an_install_that_failed_is_tried_again(checkout: Checkout):
    checkout.tool("uv", UV + '\ncase "$1" in pip) exit 3 ;; esac')
    assert checkout.run("scripts/install").returncode == 3
    checkout.tool("uv", UV)
    checkout.calls()
    assert checkout.run("scripts/install").returncode == 0
    assert [call for call in checkout.calls() if call.startswith("uv pip install")]


def test_a_venv_that_was_not_made_to_its_end_is_made_anew(checkout: Checkout):
    checkout.tool("uv", UV + '\ncase "$1" in venv) exit 3 ;; esac')
    assert checkout.run("scripts/install").returncode == 3
    checkout.tool("uv", UV)
    checkout.calls()
    checkout.run("scripts/install")
    assert [call.split()[1] for call in checkout.calls() if call.startswith("uv")] == ["venv", "pip"]


def test_a_venv_whose_python_is_gone_is_made_anew(checkout: Checkout):
    checkout.tool("uv", UV)
    checkout.run("scripts/install")
    checkout.calls()
    (checkout.path / ".venv/bin/python").unlink()
    checkout.run("scripts/install")
    assert [call.split()[1] for call in checkout.calls() if call.startswith("uv")] == ["venv", "pip"]


def test_an_unknown_name_is_one_line_with_the_names_there_are(checkout: Checkout):
    done = checkout.run("scripts/install", "gpc")
    assert done.returncode == 1
    assert done.stderr == "There is no requirements/gpc.txt. There is: app.txt aws.txt dev.txt scripts.txt\n"


def test_without_any_python_it_says_what_is_needed(checkout: Checkout):
    done = checkout.run("scripts/install")
    assert done.returncode == 1
    assert done.stderr == "Python 3.11 or newer is needed, and there is no python3 here.\n"


def test_an_old_python_is_named(checkout: Checkout):
    checkout.tool("python3", 'case "$*" in *version_info*) exit 1 ;; -V) echo Python 3.9.2 ;; esac')
    assert checkout.run("scripts/install").stderr == "Python 3.11 or newer is needed; python3 here is Python 3.9.2.\n"


def test_root_on_debian_gets_python3_venv(checkout: Checkout):
    checkout.tool("python3", f'case "$*" in *ensurepip*) exit 1 ;; "-m venv"*) {MAKE_VENV} ;; esac')
    checkout.tool("id", "echo 0")
    checkout.tool("apt-get", "")
    assert checkout.run("scripts/install").returncode == 0
    assert "apt-get install -y -qq python3-venv" in checkout.calls()


def test_others_on_debian_get_the_line_to_type(checkout: Checkout):
    checkout.tool("python3", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    checkout.tool("id", "echo 1000")
    checkout.tool("apt-get", "")
    done = checkout.run("scripts/install")
    assert done.returncode == 1
    assert "sudo sh -c 'apt-get update -qq && apt-get install -y -qq python3-venv'" in done.stderr
    assert not (checkout.path / ".venv").exists()


def test_task_assist_runs_this_folders_app_from_anywhere(checkout: Checkout):
    checkout.tool("uv", UV)
    checkout.run("scripts/install")
    (checkout.path / ".venv/bin/python").write_text('#!/bin/sh\necho "$PYTHONPATH $*"\n')
    done = checkout.run("sh", "-c", f"cd / && {checkout.path}/.venv/bin/task-assist check")
    assert done.stdout == f"{checkout.path} -P -m app check\n"
