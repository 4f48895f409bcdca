"""Plugins in files of their own: built against the installed library, given to the command."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import must


@pytest.fixture
def command(installed):
    def call(*arguments):
        return subprocess.run(
            [installed / "bin" / "libcompress", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            env={"PATH": "/usr/bin:/bin"},
        )

    return call


@pytest.fixture
def recipe(tiny, peak) -> Path:
    """Only what pruning by the example's criterion needs, and the plugin beside it."""
    shutil.copy(peak, tiny.parent / "peak.so")
    text = tiny.read_text()
    text = text[: text.index("quantize:")].replace("plugin: taylor", "plugin: peak, options: {dimensions: 2}")
    tiny.write_text("plugins: [peak.so]\n" + text)
    return tiny


def test_the_installed_command_needs_nothing_of_the_build(command):
    assert "magnitude" in command("plugins").stdout


def test_a_plugin_file_is_listed_with_its_options_and_where_it_comes_from(command, peak):
    listed = command("plugins", "peak", "--plugin", peak).stdout
    assert f"({peak})" in listed and "dimensions (an integer from 1 to 8, default 2)" in listed
    assert "magnitude" not in listed


def test_a_plugin_that_nobody_gave_is_named_with_its_neighbours(command):
    done = command("plugins", "magnitud")
    assert done.returncode == 8
    assert "did you mean 'magnitude'?" in done.stderr


def test_prune_takes_a_plugin_file(command, peak, tmp_path):
    out = tmp_path / "small.onnx"
    model = ["--model", "acdnet", "--amount", "50%", "--out", out]
    assert command("prune", *model, "--criterion", "peak").returncode == 8
    done = command("prune", *model, "--criterion", "peak", "--plugin", peak)
    assert done.returncode == 0, done.stderr
    assert out.exists()


def test_options_of_a_plugin_file_are_checked_like_keys_of_a_recipe(command, recipe):
    recipe.write_text(recipe.read_text().replace("dimensions: 2", "dimension: 2"))
    done = command("check", recipe)
    assert done.returncode == 3
    assert "unknown option 'dimension' of plugin 'peak'" in done.stdout
    assert "did you mean 'dimensions'?" in done.stdout


def test_a_recipe_without_its_plugin_file_is_wrong(command, recipe):
    recipe.write_text(recipe.read_text().replace("plugins: [peak.so]\n", ""))
    done = command("check", recipe)
    assert done.returncode == 3
    assert "no criterion plugin 'peak'" in done.stdout


@pytest.mark.parametrize("given", ["in the recipe", "on the command line"])
def test_a_run_keeps_the_path_of_its_plugin_file(command, recipe, tmp_path, given):
    file = recipe.parent / "peak.so"
    arguments = []
    if given == "on the command line":
        recipe.write_text(recipe.read_text().replace("plugins: [peak.so]\n", ""))
        arguments = ["--plugin", file]
    done = command("run", recipe, "--out", tmp_path / "run", *arguments)
    assert done.returncode == 0, done.stderr
    assert f'plugins: ["{file}"]' in (tmp_path / "run" / "recipe.yaml").read_text()
    assert command("resume", tmp_path / "run").returncode == 0


@pytest.mark.parametrize(
    ("own", "other"),
    [("plugin format: 1", "plugin format: 2"), ("libcompress: 0", "libcompress: 9"), ("cxx11=1", "cxx11=0")],
)
def test_a_plugin_of_another_build_is_refused_with_the_reason(command, peak, tmp_path, own, other):
    wrong = tmp_path / "wrong.so"
    content = peak.read_bytes()
    assert content.count(own.encode()) == 1
    wrong.write_bytes(content.replace(own.encode(), other.encode()))
    done = command("plugins", "--plugin", wrong, "--json")
    assert done.returncode == 8
    assert f"{wrong}: built for" in done.stderr and other.split(":")[0] in done.stderr
    assert '"kind": "plugin"' in done.stdout


SOURCE = """\
#include <libcompress/pipeline/plugin.h>
#include <libcompress/strategy/select.h>

#include <stdexcept>

using namespace compress;

class Throws final : public Criterion {
 protected:
  Scores score(const PruningGroup&, const ScoringContext&) const override {
    throw std::out_of_range("no such thing");
  }
};

class Even final : public Strategy {
 public:
  std::vector<Step> schedule(std::int64_t epochs) const override {
    return {{Step::Kind::prune, 1.0, epochs}};
  }
  PruningPlan plan(const PlanRequest& request) const override { return select_uniformly(request); }
};

LIBCOMPRESS_PLUGIN(plugins) {
  plugins.criteria.add("throws", "throws", {}, [](const auto&) { return std::make_unique<Throws>(); });
  plugins.strategies.add("even", "all alike", {}, [](const auto&) { return std::make_unique<Even>(); });
}
"""


@pytest.fixture(scope="session")
def by_hand(installed, tmp_path_factory) -> Path:
    """A plugin built by the compiler alone."""
    folder = tmp_path_factory.mktemp("by_hand")
    (folder / "own.cpp").write_text(SOURCE)
    paths = [f"-I{installed}/include", f"-L{installed}/lib"]
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    built = folder / "own.so"
    must(
        "c++",
        "-std=c++20",
        *strict,
        "-shared",
        "-fPIC",
        *paths,
        folder / "own.cpp",
        "-o",
        built,
        "-lcompress",
    )
    return built


def prune_with(command, plugin, folder, *arguments):
    model = ["--model", "acdnet", "--model-option", "classes=10", "--out", folder / "small.onnx"]
    return command("prune", *model, "--plugin", plugin, *arguments)


def test_a_strategy_of_a_plugin_file_spends_the_budget(command, by_hand, tmp_path):
    budget = ["--budget", "params=50%", "--json"]
    own = prune_with(command, by_hand, tmp_path, *budget, "--strategy", "even")
    assert own.returncode == 0, own.stderr
    builtin = prune_with(command, by_hand, tmp_path, *budget, "--strategy", "uniform")
    assert json.loads(own.stdout)["groups"] == json.loads(builtin.stdout)["groups"]


def test_an_exception_in_a_plugin_file_is_told_with_its_name(command, by_hand, tmp_path):
    done = prune_with(command, by_hand, tmp_path, "--amount", "50%", "--criterion", "throws")
    assert done.returncode == 8
    assert f"criterion 'throws' of {by_hand}: an exception: no such thing" in done.stderr
    assert not (tmp_path / "small.onnx").exists()
