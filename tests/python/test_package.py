"""The Python package: models, groups, pruning and files through the extension module."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

lc = pytest.importorskip("libcompress", reason="the Python package is not built")
from conftest import BUILD  # noqa: E402


def small_graph(channels: int = 8) -> lc.Graph:
    """input -> conv1 -> relu -> conv2"""
    graph = lc.Graph()
    x = graph.add_input("input", [1, 3, 6, 6])
    first = graph.add_parameter("conv1.weight", [channels, 3, 3, 3])
    second = graph.add_parameter("conv2.weight", [4, channels, 1, 1])
    settings = {"stride": [1, 1], "dilation": [1, 1], "groups": 1}
    x = graph.add_node("conv", "conv1", [x, first], {**settings, "padding": [1, 1, 1, 1]})
    x = graph.add_node("relu", "relu", [x])
    x = graph.add_node("conv", "conv2", [x, second], {**settings, "padding": [0, 0, 0, 0]})
    graph.set_outputs([x])
    return graph


def small_model(channels: int = 8) -> lc.Model:
    graph = small_graph(channels)
    random = np.random.default_rng(1)
    weights = {}
    for each in graph.parameters:
        value = graph.value(each)
        weights[value.name] = random.standard_normal(value.shape).astype(np.float32)
    return lc.Model(graph, weights, "small")


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(2).standard_normal((5, 3, 6, 6)).astype(np.float32)


@pytest.mark.parametrize("first", ["torch", "libcompress"])
def test_imports_beside_torch_in_both_orders(first):
    second = "torch" if first == "libcompress" else "libcompress"
    program = (
        f"import {first}, {second}\n"
        "import torch, libcompress as lc\n"
        "model = lc.from_torch(torch.nn.Conv1d(2, 3, 3).eval(), torch.zeros(1, 2, 8))\n"
        "print(model.run(torch.ones(2, 2, 8).numpy()).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(BUILD / "python"), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "(2, 3, 6)", done.stderr


def test_a_graph_is_built_node_by_node():
    graph = small_graph()
    assert [node.op for node in graph.nodes] == ["conv", "relu", "conv"]
    assert graph.value(graph.outputs[0]).shape == (1, 4, 6, 6)
    assert graph.node(graph.find_node("conv1")).attributes["padding"] == [1, 1, 1, 1]
    assert graph.value(graph.find_value("conv1.weight")).kind == lc.ValueKind.parameter
    assert "relu: relu(conv1)" in graph.to_text()
    assert lc.Graph.from_json(graph.to_json()).fingerprint() == graph.fingerprint()


def test_a_wrong_graph_is_an_error_with_its_kind():
    graph = lc.Graph()
    x = graph.add_input("x", [1, 3, 4, 4])
    with pytest.raises(lc.Error, match=r"operator 'relo'.*did you mean 'relu'") as caught:
        graph.add_node("relo", "a", [x])
    assert caught.value.kind == "input"
    assert isinstance(caught.value, ValueError)


def test_weights_are_read_only_views_that_outlive_the_model():
    weight = small_model().weights["conv1.weight"]
    assert weight.shape == (8, 3, 3, 3)
    assert np.isfinite(weight).all()
    with pytest.raises(ValueError, match="read-only"):
        weight[0] = 1


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(lc.Error, match=r"conv1\.weight"):
        small_model().with_weights({"conv1.weight": np.zeros((2, 2), np.float32)})


def test_a_model_runs_with_any_batch(images):
    model = small_model()
    assert model.run(images).shape == (5, 4, 6, 6)
    assert np.allclose(model.run(images)[:1], model.run(images[:1]), atol=1e-5)


def test_a_file_gives_the_model_back(tmp_path, images):
    model = small_model()
    model.save(tmp_path / "small.safetensors")
    again = lc.load(tmp_path / "small.safetensors")
    assert again.name == "small"
    assert np.array_equal(again.run(images), model.run(images))


def test_a_missing_file_is_an_error_of_kind_io(tmp_path):
    with pytest.raises(lc.Error) as caught:
        lc.load(tmp_path / "none.safetensors")
    assert caught.value.kind in ("io", "input")


def test_groups_tell_members_sizes_and_reasons():
    groups = small_model().groups()
    first = next(group for group in groups if group.name == "conv1")
    assert first.prunable and first.size == 8
    assert [(m.tensor, m.axis) for m in first.members] == [("conv1.weight", 0), ("conv2.weight", 1)]
    assert first.members[1].indices[3] == [3]
    assert first.params == 8 * 3 * 9 + 4 * 8
    assert first.bytes == 4 * first.params
    assert first.macs == 36 * first.params
    last = groups[-1]
    assert not last.prunable and "output" in last.reason


def test_ignored_nodes_keep_their_width():
    groups = small_model().groups(ignore=["conv1"])
    assert not any(group.prunable for group in groups)


def test_half_of_every_group_goes_and_the_masked_twin_agrees(images):
    pruned = small_model().prune(0.5)
    assert pruned.model.weights["conv1.weight"].shape == (4, 3, 3, 3)
    assert pruned.costs_after.params < pruned.costs_before.params
    twin = pruned.masked_twin().run(images)
    assert np.abs(pruned.model.run(images) - twin).max() <= 5e-6 * np.abs(twin).max()


def test_a_budget_is_met():
    pruned = small_model(64).prune({"params": 0.5}, tolerance=0.05)
    assert pruned.costs_after.params <= 0.5 * pruned.costs_before.params


def test_ratios_fix_what_groups_keep():
    pruned = small_model().prune(0.5, ratios={"*": 0.75, "conv1": 1.0})
    assert pruned.model.weights["conv1.weight"].shape[0] == 8
    with pytest.raises(lc.Error, match="matches no group") as caught:
        small_model().prune(0.5, ratios={"conv7": 0.5})
    assert caught.value.kind == "recipe"


@pytest.mark.parametrize("strategy", ["uniform", "global", "greedy", "sensitivity"])
def test_every_strategy_meets_a_budget_within_half_a_percent(strategy):
    pruned = small_model(64).prune({"params": 0.5}, strategy=strategy)
    assert 0.4975 <= pruned.costs_after.params / pruned.costs_before.params <= 0.5


def test_an_unknown_resource_is_an_error_of_kind_usage():
    with pytest.raises(lc.Error, match="params, macs") as caught:
        small_model().prune({"parameters": 0.5})
    assert caught.value.kind == "usage"


def test_a_plan_goes_through_json_and_back(images):
    model = small_model()
    plan = model.prune(0.25).plan
    again = lc.PruningPlan.from_json(plan.to_json())
    assert [group.kept for group in again.groups] == [group.kept for group in plan.groups]
    assert model.masked_twin(again).run(images).shape == (5, 4, 6, 6)


def test_taylor_without_data_is_an_error_of_kind_usage():
    with pytest.raises(lc.Error, match="no data") as caught:
        small_model().prune(0.5, criterion="taylor")
    assert caught.value.kind == "usage"


def test_an_unknown_criterion_names_the_known_ones():
    with pytest.raises(lc.Error, match="magnitude") as caught:
        small_model().prune(0.5, criterion="magnitud")
    assert caught.value.kind == "plugin"


def test_the_op_table_tells_operands_and_attributes():
    conv = lc.op_table()["conv"]
    assert [operand.name for operand in conv.operands] == ["input", "weight", "bias"]
    assert conv.operands[2].optional
    assert {attribute.name for attribute in conv.attributes} == {"stride", "padding", "dilation", "groups"}


def test_an_onnx_file_opens_in_onnx_runtime(tmp_path, images):
    runtime = pytest.importorskip("onnxruntime")
    model = small_model()
    model.save(tmp_path / "small.onnx")
    session = runtime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images})
    assert np.abs(found - model.run(images)).max() < 1e-5
    assert np.abs(lc.load(tmp_path / "small.onnx").run(images) - model.run(images)).max() < 1e-5
    assert [node.op for node in lc.list_file(tmp_path / "small.onnx")] == ["Conv", "Relu", "Conv"]


def test_another_ending_is_an_error_of_kind_usage(tmp_path):
    with pytest.raises(lc.Error, match="onnx") as caught:
        small_model().save(tmp_path / "small.h5")
    assert caught.value.kind == "usage"
