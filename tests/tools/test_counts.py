"""The closing line of `make test` counts what really happened."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CTEST = """<testsuite tests="4" failures="1" skipped="2">
<testcase name="Coupling.ties" classname="Coupling.ties" status="run"/>
<testcase name="Coupling.pins" classname="Coupling.pins" status="fail"><failure message="no"/></testcase>
<testcase name="Esc.reads" classname="Esc.reads" status="notrun"><skipped message="no data"/></testcase>
<testcase name="Esc.later" classname="Esc.later" status="disabled"/>
</testsuite>"""


@pytest.fixture
def driver():
    spec = importlib.util.spec_from_file_location("make_test", ROOT / "tools" / "test.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_test"] = module
    spec.loader.exec_module(module)
    return module


def test_passed_failed_skipped_and_disabled_tests_are_told_apart(driver, tmp_path):
    results = tmp_path / "ctest.xml"
    results.write_text(CTEST)
    tally = driver.Tally()
    tally.read_junit(results, "C++", 8)
    assert tally.closing_line() == "1 passed, 1 failed, 2 skipped"
    assert tally.failed == ["C++: Coupling.pins"]


def test_a_runner_that_fails_without_a_failed_test_is_a_failure(driver, tmp_path):
    results = tmp_path / "ctest.xml"
    results.write_text('<testsuite><testcase name="a" status="run"/></testsuite>')
    tally = driver.Tally()
    tally.read_junit(results, "C++", 1)
    assert tally.closing_line() == "1 passed, 1 failed"


def test_a_missing_or_broken_result_file_is_a_failure(driver, tmp_path):
    tally = driver.Tally()
    tally.read_junit(tmp_path / "none.xml", "C++", 0)
    (tmp_path / "cut.xml").write_text("<testsuite><testcase")
    tally.read_junit(tmp_path / "cut.xml", "Python", 0)
    assert tally.closing_line() == "0 passed, 2 failed"


def run_driver(build_folder: Path) -> tuple[int, str]:
    command = [
        sys.executable,
        str(ROOT / "tools" / "test.py"),
        "--no-python",
        "--build-dir",
        str(build_folder),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.skipif(not shutil.which("ctest"), reason="ctest is not installed")
def test_a_run_in_which_nothing_ran_fails(tmp_path):
    status, closing_line = run_driver(tmp_path)
    assert status == 1
    assert closing_line.startswith("0 passed")


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_a_skipped_gtest_case_counts_as_skipped(tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.24)\nproject(counts CXX)\nenable_testing()\n"
        "find_package(GTest REQUIRED)\ninclude(GoogleTest)\nadd_executable(t t.cpp)\n"
        "target_link_libraries(t GTest::gtest_main)\ngtest_discover_tests(t)\n"
    )
    (tmp_path / "t.cpp").write_text(
        "#include <gtest/gtest.h>\nTEST(A, passes) {}\nTEST(A, fails) { FAIL(); }\n"
        'TEST(A, is_skipped) { GTEST_SKIP() << "no data"; }\n'
    )
    environment = {**os.environ, "CXXFLAGS": "-std=c++17 -O0"}
    for step in (["cmake", "-S", ".", "-B", "b"], ["cmake", "--build", "b"]):
        subprocess.run(step, cwd=tmp_path, check=True, capture_output=True, env=environment)
    status, closing_line = run_driver(tmp_path / "b")
    assert (status, closing_line) == (1, "1 passed, 1 failed, 1 skipped")
