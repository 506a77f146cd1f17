"""`./run` finds a Python, sets .venv up once, again where it must, and hands over; where it cannot, it says what to do.

Each test runs the real script in a folder of its own, with interpreters that tell what they were called for and that,
asked to make a virtual environment or to install into one, only pretend to.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.waiting import until

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-source.txt", "requirements-dev.txt")
TOOLS = ("cat", "cksum", "cp", "grep", "head", "id", "mkdir", "rm", "sh", "sleep")

PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv")
    echo "venv by ${{0##*/}}" >>"{log}"
    mkdir -p "$3/bin"
    echo "version = {version}" >"$3/pyvenv.cfg"
    cp "$0" "$3/bin/python"
    cp "{tools}/"* "$3/bin"
    ;;
"-m pip")
    until [ ! -e "{folder}/wait" ]; do sleep 0.01; done
    for last; do :; done
    echo "pip ${{last##*/}}" >>"{log}"
    test ! -e "{folder}/fail"
    ;;
"-m pytest")
    echo "pytest $3 in $PWD"
    ;;
*)
    for code; do :; done
    case $code in *flock*) echo "lock" >>"{log}" ;; esac
    pretend='import sys; sys.version_info = {numbers}; sys.modules.update({hidden}); exec(sys.argv[1])'
    exec "{python}" -c "$pretend" "$code"
    ;;
esac
"""

TOOL = """#!/bin/sh
printf '<%s>' "${0##*/}" "$@"
echo
test "${0##*/}" != "$FAILING"
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout with `run` in it, and the only folder on PATH."""

    folder: Path
    path: Path

    @property
    def log(self) -> Path:
        return self.path.parent / "log"

    def add_python(self, name: str, version: str = "3.12.4", *, has_venv: bool = True) -> Path:
        python = self.path / name
        script = PYTHON.format(
            log=self.log,
            folder=self.folder,
            tools=self.path.parent / "tools",
            version=version,
            python=sys.executable,
            numbers=tuple(map(int, version.split("."))),
            hidden="" if has_venv else "ensurepip=None",
        )
        return write_script(python, script)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.folder / "run", *arguments],
            cwd=self.path,
            env={"PATH": str(self.path)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **environment) as process:
            output, errors = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def calls(self) -> list[str]:
        """What the interpreters did since this was asked last; taking the lock aside."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line for line in lines if line != "lock"]


def write_script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path / "a folder", tmp_path / "path")
    for folder in (tree.folder, tree.path, tmp_path / "tools"):
        folder.mkdir()
    shutil.copy(ROOT / "run", tree.folder)
    for name in ("pyproject.toml", *LOCKS):
        (tree.folder / name).write_text(f"the first {name}\n")
    for name in TOOLS:
        tool = shutil.which(name)
        assert tool is not None
        (tree.path / name).symlink_to(tool)
    for name in ("keyturn", "ruff", "mypy", "lint-imports"):
        write_script(tmp_path / "tools" / name, TOOL)
    return tree


SET_UP = ["pip requirements.txt", "pip requirements-source.txt", "pip a folder"]
FIRST_SET_UP = ["venv by python3", *SET_UP]


def test_the_first_start_sets_up_and_hands_over_arguments_folder_and_exit_status(tree: Tree) -> None:
    tree.add_python("python3")
    first = tree.run("reset", "a b", FAILING="keyturn")
    assert (first.returncode, first.stdout) == (1, "<keyturn><reset><a b>\n")
    assert first.stderr == "Setting up .venv (once) …\n"
    assert tree.calls() == FIRST_SET_UP


def test_a_second_start_touches_nothing_and_needs_no_python_on_the_path(tree: Tree) -> None:
    python = tree.add_python("python3")
    tree.run()
    tree.calls()
    python.unlink()
    second = tree.run("--version")
    assert (second.returncode, second.stdout, second.stderr) == (0, "<keyturn><--version>\n", "")
    assert tree.calls() == []


def test_the_tests_tools_are_installed_when_the_tests_are_asked_for_and_stay(tree: Tree) -> None:
    tree.add_python("python3")
    tree.run()
    tree.calls()
    assert tree.run("test", "-x").stdout == f"pytest -x in {tree.folder}\n"
    assert tree.calls() == [*SET_UP[:2], "pip requirements-dev.txt", "pip a folder"]
    tree.run("test")
    tree.run("check")
    tree.run("demo")
    assert tree.calls() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "requirements-source.txt"])
def test_a_changed_lock_is_installed_into_the_same_venv(tree: Tree, name: str) -> None:
    tree.add_python("python3")
    tree.run()
    tree.calls()
    (tree.folder / name).write_text("another\n")
    assert tree.run().returncode == 0
    assert tree.calls() == SET_UP


def test_a_set_up_that_was_cut_short_is_done_again_from_the_beginning(tree: Tree) -> None:
    tree.add_python("python3")
    tree.run()
    tree.calls()
    (tree.folder / "requirements.txt").write_text("another\n")
    (tree.folder / "fail").touch()
    failed = tree.run()
    assert failed.returncode == 1
    assert failed.stderr.endswith("Installing failed; what pip said stands above. ./run again starts over.\n")
    assert tree.calls() == ["pip requirements.txt"]
    (tree.folder / "fail").unlink()
    assert tree.run().returncode == 0
    assert tree.calls() == FIRST_SET_UP


def test_a_moved_folder_is_set_up_again(tree: Tree) -> None:
    tree.add_python("python3")
    tree.run()
    tree.calls()
    moved = Tree(tree.folder.rename(tree.folder.with_name("elsewhere")), tree.path)
    assert moved.run().returncode == 0
    assert moved.calls() == ["venv by python3", *SET_UP[:2], "pip elsewhere"]


def test_a_venv_whose_python_is_gone_is_made_again(tree: Tree) -> None:
    tree.add_python("python3")
    tree.run()
    tree.calls()
    (tree.folder / ".venv/bin/python").unlink()
    assert tree.run().returncode == 0
    assert tree.calls() == FIRST_SET_UP


def test_two_first_starts_at_once_set_up_once(tree: Tree) -> None:
    tree.add_python("python3")
    (tree.folder / "wait").touch()
    with tree.start("one") as one, tree.start("two") as two:
        until(lambda: tree.log.exists() and tree.log.read_text().count("lock\n") == 2, "both ask for the lock")
        until(lambda: "venv" in tree.log.read_text(), "one of them goes on")
        (tree.folder / "wait").unlink()
        assert {one.communicate()[0], two.communicate()[0]} == {"<keyturn><one>\n", "<keyturn><two>\n"}
    assert tree.calls() == FIRST_SET_UP


def test_keyturn_python_decides_and_another_version_makes_the_venv_again(tree: Tree) -> None:
    tree.add_python("python3")
    other = tree.add_python("other", "3.13.1")
    tree.run()
    tree.calls()
    assert tree.run(KEYTURN_PYTHON="python3").returncode == 0
    assert tree.calls() == []
    assert tree.run(KEYTURN_PYTHON=str(other)).returncode == 0
    assert tree.calls() == ["venv by other", *FIRST_SET_UP[1:]]
    tree.run()
    assert tree.calls() == []


def test_a_keyturn_python_that_is_too_old_is_refused_in_one_line(tree: Tree) -> None:
    tree.add_python("python3")
    tree.add_python("old", "3.10.9")
    refused = tree.run(KEYTURN_PYTHON="old")
    assert refused.returncode == 1
    assert refused.stderr == "KEYTURN_PYTHON=old is Python 3.10.9. Let it name a Python 3.11 or newer, or unset it.\n"
    assert not (tree.folder / ".venv").exists()


@pytest.mark.parametrize("name", ["missing", "shim"])
def test_a_keyturn_python_that_does_not_run_is_refused_in_one_line(tree: Tree, name: str) -> None:
    tree.add_python("python3")
    write_script(tree.path / "shim", "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    refused = tree.run(KEYTURN_PYTHON=name)
    assert refused.returncode == 1
    assert refused.stderr == f"KEYTURN_PYTHON={name} does not run. Let it name a Python 3.11 or newer, or unset it.\n"


def test_the_first_python_that_will_do_is_taken(tree: Tree) -> None:
    tree.add_python("python3", "3.9.2")
    write_script(tree.path / "python3.14", "#!/bin/sh\nexit 127\n")
    tree.add_python("python3.13", "3.13.0", has_venv=False)
    tree.add_python("python3.12", "3.12.1")
    tree.add_python("python3.11", "3.11.7")
    assert tree.run().returncode == 0
    assert tree.calls()[0] == "venv by python3.12"


@pytest.mark.parametrize("environment", [{}, {"KEYTURN_PYTHON": "python3"}])
def test_where_venv_is_lacking_the_line_that_installs_it_is_printed(tree: Tree, environment: dict[str, str]) -> None:
    tree.add_python("python3", "3.11.2", has_venv=False)
    refused = tree.run(**environment)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == f"  {sudo()}apt-get install python3.11-venv"
    assert not (tree.folder / ".venv").exists()


def test_where_no_python_will_do_the_line_that_installs_one_is_printed(tree: Tree) -> None:
    tree.add_python("python3", "3.9.2")
    refused = tree.run()
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == f"  {sudo()}apt-get install python3 python3-venv"


def sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def test_every_check_runs_even_after_one_failed(tree: Tree) -> None:
    tree.add_python("python3")
    checked = tree.run("check", FAILING="ruff")
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        "== ruff check",
        "<ruff><check>",
        "== ruff format --check",
        "<ruff><format><--check>",
        "== mypy --strict",
        "<mypy><--strict>",
        "== lint-imports --no-logo",
        "<lint-imports><--no-logo>",
    ]
    assert checked.stderr.endswith("== failed: ruff check, ruff format --check\n")


def test_the_checks_pass_where_each_passes(tree: Tree) -> None:
    tree.add_python("python3")
    checked = tree.run("check")
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "== all checks passed"
