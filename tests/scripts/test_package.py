"""`pip install .`: the wheel holds the app whole and nothing else, and its command runs where no checkout is."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


def files_of_the_app() -> set[str]:
    """Without git, since who downloads the project as an archive has none of it."""
    made = ("__pycache__", ".DS_Store")
    files = (file for file in (ROOT / "app").rglob("*") if file.is_file() and not {*file.parts} & {*made})
    return {file.relative_to(ROOT).as_posix() for file in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # From a copy, since setuptools builds in the folder that it is given.
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in (*files_of_the_app(), "pyproject.toml", "README.md"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def test_the_wheel_holds_every_file_of_the_app_and_nothing_else(wheel: Path):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == files_of_the_app()


def test_an_installed_command_runs_without_the_checkout(wheel: Path, tmp_path: Path):
    # What the app depends on comes from this environment, the app itself from the wheel alone.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    python = tmp_path / "env/bin/python"
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        str(python),
    ]
    subprocess.run([*install, str(wheel)], check=True)
    (site,) = (tmp_path / "env/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [str(tmp_path / "env/bin/task-assist")]
    shown = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "serve" in shown.stdout
    environment = {
        "DATABASE_PATH": str(tmp_path / "task_manager.db"),
        "APP_ENV": "development",
        "PATH": "/usr/bin:/bin",
    }
    checked = subprocess.run(
        [*command, "check"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert str(tmp_path / "task_manager.db") in checked.stdout
