"""The verbs for any network: groups, prune, convert, and inspect on files of other frameworks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import call

lc = pytest.importorskip("libcompress", reason="the Python package is not built")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def residual_network() -> lc.Model:
    """conv1, then an addition around conv2 and a linear layer."""
    graph = lc.Graph()
    random = np.random.default_rng(1)
    weights = {}

    def parameter(name, shape):
        weights[name] = (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        return graph.add_parameter(name, shape)

    x = graph.add_input("image", [1, 3, 8, 8])
    same = {"padding": [1, 1, 1, 1]}
    x = graph.add_node("conv", "conv1", [x, parameter("conv1.weight", [8, 3, 3, 3])], same)
    y = graph.add_node("conv", "conv2", [x, parameter("conv2.weight", [6, 8, 3, 3])], same)
    y = graph.add_node("relu", "relu", [y])
    y = graph.add_node("conv", "conv3", [y, parameter("conv3.weight", [8, 6, 3, 3])], same)
    x = graph.add_node("add", "add", [x, y])
    x = graph.add_node("global_avg_pool", "pool", [x])
    x = graph.add_node("flatten", "flat", [x])
    x = graph.add_node("linear", "fc", [x, parameter("fc.weight", [4, 8])])
    graph.set_outputs([x])
    return lc.Model(graph, weights, "residual")


def overflowing_network() -> lc.Model:
    """Finite weights that make infinities: of what it computes nothing can be proved."""
    model = residual_network()
    return lc.Model(model.graph, {name: 1e15 * each for name, each in model.weights.items()}, "overflow")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    file = tmp_path_factory.mktemp("network") / "network.onnx"
    residual_network().save(file)
    return file


def outputs_of(file, images) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


IMAGES = np.random.default_rng(2).standard_normal((3, 3, 8, 8)).astype(np.float32)


def test_groups_tell_members_weight_and_reasons(network):
    found = call("groups", network, "--json").json
    groups = {group["name"]: group for group in found["groups"]}
    assert found["prunable"] == 2
    members = [(each["tensor"], each["axis"]) for each in groups["conv1"]["members"]]
    assert members == [("conv1.weight", 0), ("conv2.weight", 1), ("conv3.weight", 0), ("fc.weight", 1)]
    assert groups["conv2"]["params"] == 6 * 8 * 9 + 8 * 6 * 9
    assert groups["conv2"]["params_an_index"] == 8 * 9 + 8 * 9
    assert groups["conv2"]["macs_an_index"] == 64 * (8 * 9 + 8 * 9)
    assert not groups["fc"]["prunable"] and "output" in groups["fc"]["reason"]


def test_groups_as_text_name_the_axes_and_the_reason(network):
    result = call("groups", network)
    assert result.code == 0
    assert "conv1.weight:0, conv2.weight:1" in result.out
    assert "stays: " in result.out and "2 of 3 groups may be pruned" in result.out


def test_a_network_without_prunable_groups_says_so(network):
    result = call("groups", network, "--ignore", "conv*")
    assert "no group may be pruned" in result.out
    assert call("prune", network, "--amount", "50%", "--ignore", "conv*", "--out", "x.onnx").code == 5


@pytest.mark.parametrize("ending", ["onnx", "safetensors"])
def test_prune_writes_a_smaller_network_with_its_proof(network, tmp_path, ending):
    out = tmp_path / f"small.{ending}"
    result = call("prune", network, "--amount", "50%", "--out", out, "--json")
    assert result.code == 0, result.err
    assert [check["verdict"] for check in result.json["checks"]] == ["passed"]
    assert {group["name"]: group["kept"] for group in result.json["groups"]} == {
        "conv1": 4,
        "conv2": 3,
        "fc": 4,
    }
    assert result.json["after"]["params"] < result.json["before"]["params"]
    small = lc.load(out)
    assert small.costs().params == result.json["after"]["params"]
    if ending == "onnx":
        wanted = small.run(IMAGES)
        assert np.abs(outputs_of(out, IMAGES) - wanted).max() <= 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("ending", ["onnx", "safetensors"])
def test_prune_writes_nothing_where_the_proof_fails(tmp_path, ending):
    overflowing_network().save(tmp_path / "network.onnx")
    out, plan = tmp_path / f"small.{ending}", tmp_path / "plan.json"
    result = call("prune", tmp_path / "network.onnx", "--amount", "50%", "--out", out, "--plan", plan)
    assert result.code == 6 and result.out == ""
    assert "proof failed, nothing written: prune: equals the unpruned network" in result.err
    assert "largest difference inf" in result.err
    assert [each.name for each in tmp_path.iterdir()] == ["network.onnx"]


def test_prune_keeps_a_budget(network, tmp_path):
    arguments = ["--budget", "params=60%,macs=70%", "--tolerance", "10%", "--out", tmp_path / "small.onnx"]
    result = call("prune", network, *arguments, "--json")
    assert result.code == 0, result.err
    before, after = result.json["before"], result.json["after"]
    assert after["params"] <= 0.6 * before["params"] and after["macs"] <= 0.7 * before["macs"]


def test_prune_fixes_what_a_pattern_names(network, tmp_path):
    arguments = ["--amount", "50%", "--ratio", "conv*=75%", "--ratio", "conv2=100%", "--out"]
    result = call("prune", network, *arguments, tmp_path / "small.onnx", "--json")
    assert result.code == 0, result.err
    kept = {group["name"]: group["kept"] for group in result.json["groups"]}
    assert kept["conv1"] == 6 and kept["conv2"] == 6
    missed = call("prune", network, *arguments[:2], "--ratio", "conv9=50%", "--out", tmp_path / "small.onnx")
    assert missed.code == 3 and "ratio of 'conv9': matches no group" in missed.err
    wrong = call("prune", network, *arguments[:2], "--ratio", "conv1", "--out", tmp_path / "small.onnx")
    assert wrong.code == 2 and "such as conv2=50%" in wrong.err


def test_prune_says_what_holds_a_budget_that_is_missed(network, tmp_path):
    out = tmp_path / "small.onnx"
    result = call("prune", network, "--budget", "params=20%", "--ratio", "conv*=100%", "--out", out)
    assert result.code == 5 and "the ratios hold it" in result.err
    result = call("prune", network, "--budget", "params=20%", "--min-channels", "5", "--out", out)
    assert result.code == 5 and "min_channels 5 holds it" in result.err
    assert not out.exists()


def test_prune_shows_every_node_before_and_after(network, tmp_path):
    result = call("prune", network, "--amount", "50%", "--out", tmp_path / "small.onnx", "--verbose")
    assert "[1, 3, 8, 8]" in result.out and "432 -> 108" in result.out
    assert "passed" in result.out and "for any batch" in result.out


def test_a_plan_that_was_written_belongs_to_the_network(network, tmp_path):
    plan = tmp_path / "plan.json"
    arguments = ["--amount", "25%", "--out", tmp_path / "small.onnx", "--plan", plan]
    assert call("prune", network, *arguments).code == 0
    assert [len(group["kept"]) for group in json.loads(plan.read_text())["groups"]] == [6, 5]


def saved_plan(network, tmp_path, name, *arguments):
    plan = tmp_path / name
    result = call("prune", network, *arguments, "--out", tmp_path / "small.onnx", "--plan", plan)
    assert result.code == 0, result.err
    return plan


def test_a_plan_edited_by_hand_is_carried_out(network, tmp_path):
    plan = saved_plan(network, tmp_path, "plan.json", "--amount", "25%")
    edited = json.loads(plan.read_text())
    edited["groups"][0]["kept"] = [0, 7]
    del edited["groups"][1]  # a group that is left out keeps all
    plan.write_text(json.dumps(edited))
    out = tmp_path / "applied.onnx"
    result = call("prune", network, "--apply", plan, "--out", out, "--json")
    assert result.code == 0, result.err
    assert [group["kept"] for group in result.json["groups"]][:2] == [2, 6]
    assert [check["verdict"] for check in result.json["checks"]] == ["passed"]
    model = lc.load(network)
    pruned = model.apply(plan)
    assert np.array_equal(pruned.model.run(IMAGES), lc.load(out).run(IMAGES))


def test_a_plan_of_another_network_is_refused(network, tmp_path):
    plan = saved_plan(network, tmp_path, "plan.json", "--amount", "25%")
    plan.write_text(plan.read_text().replace('"graph": "', '"graph": "0'))
    out = tmp_path / "applied.onnx"
    result = call("prune", network, "--apply", plan, "--out", out)
    assert result.code == 4 and "make a plan for this network" in result.err and not out.exists()
    with pytest.raises(lc.Error, match="make a plan for this network"):
        lc.load(network).apply(plan)


def test_diff_tells_where_plans_differ(network, tmp_path):
    first = saved_plan(network, tmp_path, "a.json", "--amount", "25%")
    second = saved_plan(network, tmp_path, "b.json", "--amount", "25%", "--ignore", "conv2")
    result = call("diff", first, second, "--json")
    assert result.code == 0 and not result.json["same"]
    conv2 = next(group for group in result.json["groups"] if group["group"] == "conv2")
    assert len(conv2["both"]) == 5 and conv2["first_only"] == [] and len(conv2["second_only"]) == 1
    assert "conv2" in call("diff", first, second).out
    assert "keep the same" in call("diff", first, first).out
    assert call("diff", first, network).code == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--amount 50%, --budget params=50% or --apply plan.json"),
        (["--amount", "50%", "--budget", "params=50%"], "--amount and --budget"),
        (["--amount", "50"], "a percentage below 100%"),
        (["--budget", "parameters=50%"], "params, macs, flash or peak_ram"),
        (["--amount", "50%", "--ignore", "konv1"], "did you mean 'conv1'?"),
        (["--amount", "50%", "--criterion", "taylor"], "needs gradients"),
        (["--amount", "50%", "--criterion-option", "order"], "key=value"),
    ],
)
def test_prune_refuses_wrong_usage_with_one_sentence(network, tmp_path, arguments, told):
    out = tmp_path / "small.onnx"
    result = call("prune", network, *arguments, "--out", out)
    assert result.code == 2
    assert told in result.err and result.err.count("\n") == 1
    assert not out.exists()


def test_prune_refuses_an_ending_before_it_works(network, tmp_path):
    result = call("prune", network, "--amount", "50%", "--out", tmp_path / "small.pt")
    assert result.code == 2 and ".onnx or .safetensors" in result.err


def test_convert_there_and_back_gives_the_same_network(network, tmp_path):
    own, again = tmp_path / "own.safetensors", tmp_path / "again.onnx"
    assert call("convert", network, "--out", own).code == 0
    assert call("convert", own, "--out", again).code == 0
    assert np.array_equal(outputs_of(again, IMAGES), outputs_of(network, IMAGES))


def test_convert_writes_weights_alone(network, tmp_path):
    from safetensors.numpy import load_file

    out = tmp_path / "weights.safetensors"
    assert call("convert", network, "--weights-only", "--out", out).code == 0
    original = residual_network().weights
    assert {name: array.shape for name, array in load_file(out).items()} == {
        name: array.shape for name, array in original.items()
    }
    assert call("convert", network, "--weights-only", "--out", tmp_path / "x.onnx").code == 2


def test_inspect_shows_an_onnx_file_node_by_node(network):
    found = call("inspect", network, "--json").json
    assert [layer["name"] for layer in found["layers"]][:2] == ["conv1", "conv2"]
    assert max(layer["ram_bytes"] for layer in found["layers"]) <= found["peak_ram_bytes"]
    assert found["params"] == residual_network().costs().params


def unsupported_network(file):
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Relu", ["x"], ["a"], "first"),
        helper.make_node("NonZero", ["a"], ["b"], "second"),
        helper.make_node("Cast", ["b"], ["y"], "third", to=TensorProto.FLOAT),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, None])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", inputs, outputs)), file)


def test_inspect_lists_the_rest_where_an_operator_is_not_supported(tmp_path):
    file = tmp_path / "strange.onnx"
    unsupported_network(file)
    result = call("inspect", file)
    assert result.code == 4
    assert "NonZero" in result.err and "second" in result.err
    assert "first" in result.out and "not supported" in result.out
    found = call("inspect", file, "--json")
    assert found.code == 4 and "NonZero" in found.json["error"]["message"]
    assert [node["name"] for node in found.json["nodes"]] == ["first", "second", "third"]


@pytest.mark.parametrize("verb", [["inspect"], ["groups"], ["prune", "--amount", "50%", "--out", "x.onnx"]])
def test_a_damaged_file_gives_one_sentence(verb, network, tmp_path):
    cut, text = tmp_path / "cut.onnx", tmp_path / "text.onnx"
    cut.write_bytes(network.read_bytes()[:500])
    text.write_text("not a network")
    for file in (cut, text):
        result = call(*verb, file)
        assert result.code == 4
        assert str(file) in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("verb", [["inspect"], ["groups"], ["prune", "--amount", "50%", "--out", "x.onnx"]])
def test_a_missing_file_is_an_error_of_io(verb, tmp_path):
    assert call(*verb, tmp_path / "none.onnx").code == 7


def test_quantizes_a_network_on_examples_of_a_file_alone(network, tmp_path):
    examples = tmp_path / "examples.npy"
    np.save(examples, np.concatenate([IMAGES, -IMAGES]))
    file = tmp_path / "small.safetensors"
    told = call("quantize", network, "--inputs", examples, "--out", file, "--json").json
    assert told["inputs"] == 6
    assert {layer["layer"] for layer in told["layers"]} >= {"conv1", "fc"}
    done = call("export", network, "--inputs", examples, "--to", "tflite", "--out", tmp_path / "tflite")
    assert done.code == 0 and (tmp_path / "tflite" / "network.tflite").exists()


def test_names_what_calibration_may_take_if_there_is_nothing(network):
    for verb in (("quantize",), ("export", "--out", "files")):
        failed = call(verb[0], network, *verb[1:])
        assert failed.code == 2
        assert "--data PLUGIN[:FOLDER], or --inputs with an .npy or .npz file" in failed.err


def test_tells_the_scales_of_an_8_bit_network_and_the_memory_that_its_c_needs(network, tmp_path):
    examples, file = tmp_path / "examples.npy", tmp_path / "small.safetensors"
    np.save(examples, IMAGES)
    call("quantize", network, "--inputs", examples, "--out", file)
    told = call("inspect", file, "--json").json
    float_network = call("inspect", network, "--json").json
    assert told["profile"] == "litert" and told["macs"] == float_network["macs"]
    assert [layer["op"] for layer in told["layers"]] == [
        "conv",
        "conv",
        "conv",
        "add",
        "avg_pool",
        "reshape",
        "linear",
    ]
    assert all(layer["output"]["scale"] > 0 for layer in told["layers"])
    assert 0 < told["arena_bytes"]["stream"] < told["arena_bytes"]["whole"]
    assert "conv1: conv(image, " in call("inspect", file, "--graph").out
    drawn = call("inspect", file, "--svg", tmp_path / "x.svg")
    assert drawn.code == 2 and "a drawing of an 8-bit network" in drawn.err


def test_says_of_a_float_network_that_it_has_no_8_bits(network):
    failed = call("bench", network, "--target", "cortex-m4")
    assert failed.code == 4
    assert "no 8-bit network; allowed: quantized.safetensors of a run, or an int8 .tflite file" in failed.err


def test_offers_a_name_where_the_export_may_not_have_the_wanted_one(network, tmp_path):
    examples = tmp_path / "examples.npy"
    np.save(examples, IMAGES)
    failed = call("export", network, "--inputs", examples, "--name", "net", "--out", tmp_path / "c")
    assert failed.code == 2
    assert "that no C header and no device has; for instance 'net_network'" in failed.err
