"""Installing packages: the missing ones, said first, through sudo or not at all, once more if it fails."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "setup" / "packages.sh"


class Machine:
    """A machine of stubs: commands that record how they were called."""

    def __init__(self, folder: Path):
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        self.log.touch()
        for tool in ("bash", "dirname", "sed", "grep", "env", "sleep", "cat"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        for tool in ("g++", "cmake", "ccache", "git", "ninja", "python3"):
            self.stub(tool, "exit 0")
        self.stub("dpkg-query", "echo installed")
        self.stub("apt-cache", "echo '  Candidate: 1.0'")
        self.stub("apt-get", f'echo "apt-get $*" >>{self.log}')
        self.stub("id", "echo 0")

    def stub(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)

    def lacks(self, package: str) -> None:
        self.stub("dpkg-query", f'[[ "${{!#}}" == {package} ]] && exit 1; echo installed')

    def run(self) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PATH": str(self.bin)}
        bash = shutil.which("bash")
        return subprocess.run(
            [bash, str(SCRIPT)],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_nothing_is_done_where_nothing_is_missing(machine):
    done = machine.run()
    assert (done.returncode, done.stdout, machine.calls()) == (0, "", [])


def test_a_missing_package_is_named_with_its_reason_and_installed(machine):
    machine.lacks("graphviz")
    done = machine.run()
    assert done.returncode == 0
    assert "graphviz" in done.stdout
    assert "draws graphs" in done.stdout
    assert [call.split()[-2:] for call in machine.calls()] == [["install", "graphviz"]]


def test_package_lists_are_fetched_only_where_there_are_none(machine):
    machine.lacks("graphviz")
    machine.stub("apt-cache", "echo '  Candidate: (none)'")
    assert machine.run().returncode == 0
    assert [call.split()[-1] for call in machine.calls()] == ["update", "graphviz"]


def test_a_failed_download_is_tried_once_more(machine):
    machine.lacks("graphviz")
    flag = machine.bin.parent / "tried"
    machine.stub(
        "apt-get",
        f'echo "apt-get $*" >>{machine.log}\n'
        f'if [[ "$*" == *install* && ! -f {flag} ]]; then echo >{flag}; exit 100; fi',
    )
    assert machine.run().returncode == 0
    assert [call.split()[-1] for call in machine.calls()] == ["graphviz", "update", "graphviz"]


def test_two_failures_are_a_failure(machine):
    machine.lacks("graphviz")
    machine.stub("apt-get", "exit 100")
    assert machine.run().returncode != 0


def test_without_root_and_sudo_the_exact_command_is_printed(machine):
    machine.lacks("graphviz")
    machine.stub("id", "echo 1000")
    done = machine.run()
    assert done.returncode == 1
    assert "apt-get update && apt-get install --no-install-recommends graphviz" in done.stderr
    assert machine.calls() == []


def test_sudo_is_used_by_others_than_root(machine):
    machine.lacks("graphviz")
    machine.stub("id", "echo 1000")
    machine.stub("sudo", f'[[ $1 == -n ]] && exit 0; echo "sudo" >>{machine.log}; "$@"')
    assert machine.run().returncode == 0
    assert machine.calls()[0] == "sudo"
    assert machine.calls()[1].endswith("install graphviz")
