"""TensorFlow Lite files of floats against LiteRT's reference kernels: operators and published networks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

pytest.importorskip("ai_edge_litert")
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_files import Network
from tflite_operators import CASES, PERMUTES, POSITIVE

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "bin" / "tflite_backend"
PUBLISHED = ROOT.parent / "shared" / "data" / "mlperf-tiny"
TOLERANCE = 2e-5  # of the largest output


def channels_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim == 4 else array


def litert(content: bytes, inputs: list[np.ndarray], name: str = "") -> list[np.ndarray]:
    kernels = OpResolverType.BUILTIN_REF
    if name in {"ceil", "elu", "round"}:  # there are no reference kernels of these
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


def drawn_inputs(content: bytes, positive: bool, batch: int = 1) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    arrays = []
    for detail in Interpreter(model_content=content).get_input_details():
        shape = [detail["shape"][0] * batch, *detail["shape"][1:]]
        drawn = random.normal(0, 1, shape).astype(np.float32)
        arrays.append(np.abs(drawn) + np.float32(0.1) if positive else drawn)
    return arrays


def prepare(folder: Path, content: bytes, inputs: list[np.ndarray]) -> None:
    folder.mkdir()
    (folder / "model.tflite").write_bytes(content)
    save_file({str(i): channels_first(x) for i, x in enumerate(inputs)}, folder / "inputs.safetensors")


def run(*folders: Path) -> dict[str, tuple[str, str]]:
    done = subprocess.run([PROGRAM, *folders], capture_output=True, text=True, timeout=600, check=True)
    lines = [line.split("\t", 2) for line in done.stdout.splitlines()]
    return {name: (status, detail) for name, status, detail in lines}


def assert_equal(folder: Path, expected: list[np.ndarray], tolerance: float = TOLERANCE) -> None:
    found = load_file(folder / "outputs.safetensors")
    assert len(found) == len(expected)
    for i, array in enumerate(map(channels_first, expected)):
        assert found[str(i)].shape == array.shape
        scale = max(float(np.max(np.abs(array))), 1e-6)
        assert float(np.max(np.abs(found[str(i)] - array))) <= tolerance * scale


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> tuple[Path, dict[str, tuple[str, str]]]:
    """All cases read and run by one call."""
    folder = tmp_path_factory.mktemp("tflite")
    for name, network in CASES.items():
        content = network.to_bytes()
        prepare(folder / name, content, inputs_of(name, content))
    return folder, run(*(folder / name for name in CASES))


def inputs_of(name: str, content: bytes) -> list[np.ndarray]:
    return drawn_inputs(content, name in POSITIVE, 3 if name.startswith("open") else 1)


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_what_litert_computes(outcomes, name):
    folder, results = outcomes
    status, detail = results[name]
    assert status == "ok", detail
    content = (folder / name / "model.tflite").read_bytes()
    assert_equal(folder / name, litert(content, inputs_of(name, content), name))
    if name in PERMUTES:
        assert int(detail) == PERMUTES[name]


def with_float_weights(content: bytes) -> bytes:
    """The file with its 8-bit weights replaced by the floats they stand for."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    network = Network()
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.INT8 or data is None:
            continue
        scales = np.asarray(tensor.quantization.scale, np.float32)
        floats = np.frombuffer(bytes(data), np.int8).astype(np.float32) * scales[0]
        assert len(scales) == 1
        model.buffers[tensor.buffer].data = np.frombuffer(floats.tobytes(), np.uint8)
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    network.tensors, network.operators = model.subgraphs[0].tensors, model.subgraphs[0].operators
    network.operator_codes, network.buffers = model.operatorCodes, model.buffers
    network.inputs = [int(each) for each in model.subgraphs[0].inputs]
    return network.finish(*(int(each) for each in model.subgraphs[0].outputs)).to_bytes()


PUBLISHED_FILES = [
    "ad01_fp32.tflite",
    "kws_ref_model_float32.tflite",
    "pretrainedResnet.tflite",
    "vww_96_float.tflite",
]


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published networks are not here")
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("file", PUBLISHED_FILES)
def test_published_network_computes_what_litert_computes(tmp_path, file, batch):
    """At batches that LiteRT takes by resizing, one after the other where a reshape inside fixes it."""
    content = (PUBLISHED / file).read_bytes()
    inputs = drawn_inputs(content, False, batch)
    prepare(tmp_path / "network", content, inputs)
    status, detail = run(tmp_path / "network")["network"]
    assert (status, detail) == ("ok", "0"), detail
    # LiteRT would round the activations before 8-bit weights.
    floats = with_float_weights(content)
    rows = [litert(floats, [row[np.newaxis]])[0] for row in inputs[0]]
    assert_equal(tmp_path / "network", [np.concatenate(rows)])


def test_network_of_an_open_batch_runs_at_any(tmp_path):
    net = Network()
    x = net.input(1, 6, 4, 2, open_batch=True)
    x = net.apply("RESHAPE", x, net.constant(np.array([-1, 48], np.int32)))
    content = net.finish(net.apply("FULLY_CONNECTED", x, net.weight(5, 48), -1)).to_bytes()
    inputs = drawn_inputs(content, False, 7)
    prepare(tmp_path / "network", content, inputs)
    assert run(tmp_path / "network")["network"] == ("ok", "1")
    assert_equal(tmp_path / "network", litert(content, inputs))


def refusal(tmp_path: Path, network: Network) -> str:
    prepare(tmp_path / "network", network.to_bytes(), [])
    status, detail = run(tmp_path / "network")["network"]
    assert status == "refused"
    return detail


def test_unsupported_operator_is_named_with_its_node(tmp_path):
    net = Network()
    x = net.apply("RELU", net.input(1, 4))
    y = net.add_tensor([1, 4], name="strange")
    net.add_operator(schema.BuiltinOperator.CUSTOM, [x], [y], custom="Wavelet")
    message = refusal(tmp_path, net.finish(net.apply("LSTM", net.apply("CUMSUM", y))))
    assert "node 'strange' (CUSTOM 'Wavelet'): an operator that is not supported" in message
    assert "CONV_2D" in message


def test_quantized_file_is_refused_by_its_first_tensor_of_integers_not_by_its_operators(tmp_path):
    net = Network()
    x = net.quantize(net.add_tensor([1, 4], "int8", name="input"), 0.1)
    net.inputs = [x]
    message = refusal(tmp_path, net.finish(net.apply("RELU", x, dtype="int8")))
    assert "a quantized network: tensor 'input' holds INT8" in message
    assert "allowed: TensorFlow Lite files that compute in FLOAT32" in message
    assert "convert the network without quantization" in message
    assert "CONV_2D" not in message and "\n" not in message


def test_file_that_quantizes_its_float_input_is_refused_by_the_tensor_behind_it(tmp_path):
    net = Network()
    codes = net.quantize(net.add_tensor([1, 4], "int8", name="codes"), 0.1)
    net.add_operator(schema.BuiltinOperator.QUANTIZE, [net.input(1, 4)], [codes])
    message = refusal(tmp_path, net.finish(net.apply("DEQUANTIZE", codes)))
    assert "a quantized network: tensor 'codes' holds INT8" in message
    assert "CONV_2D" not in message


def test_integers_without_a_scale_are_told_of_by_their_input(tmp_path):
    net = Network()
    net.inputs = [net.add_tensor([1, 4], "uint8", name="pixels")]
    message = refusal(tmp_path, net.finish(net.apply("CAST", net.inputs[0])))
    assert "input 'pixels': elements of UINT8" in message
    assert "CONV_2D" not in message


def test_shape_that_the_operator_does_not_make_is_refused(tmp_path):
    net = Network()
    y = net.apply("RELU", net.input(1, 4))
    net.tensors[y].shape = [1, 5]
    assert "declared as [1, 5], computed as [1, 4]" in refusal(tmp_path, net.finish(y))


def test_cycle_is_refused(tmp_path):
    net = Network()
    x = net.input(1, 4)
    a, b = net.add_tensor([1, 4]), net.add_tensor([1, 4])
    net.add_operator(schema.BuiltinOperator.ADD, [x, b], [a])
    net.add_operator(schema.BuiltinOperator.RELU, [a], [b])
    assert "which nothing makes before it" in refusal(tmp_path, net.finish(b))


def test_constant_of_another_size_than_its_shape_is_refused(tmp_path):
    net = Network()
    weight = net.weight(5, 4)
    net.tensors[weight].shape = [500000, 4]
    message = refusal(tmp_path, net.finish(net.apply("FULLY_CONNECTED", net.input(1, 4), weight, -1)))
    assert "80 bytes for shape [500000, 4]" in message


def test_data_outside_the_flatbuffer_is_refused(tmp_path):
    net = Network()
    weight = net.weight(5, 4)
    outside = net.buffers[net.tensors[weight].buffer]
    outside.data, outside.offset, outside.size = None, 4096, 80
    message = refusal(tmp_path, net.finish(net.apply("FULLY_CONNECTED", net.input(1, 4), weight, -1)))
    assert "buffer 1: data outside the FlatBuffer" in message


def test_listing_names_every_operator_supported_or_not(tmp_path):
    import libcompress as lc

    net = Network()
    x = net.apply("RELU", net.input(1, 4))
    net.finish(net.apply("TANH", net.apply("CUMSUM", x))).save(tmp_path / "model.tflite")
    listed = lc.list_file(tmp_path / "model.tflite")
    assert [(each.op, each.supported) for each in listed] == [
        ("RELU", True),
        ("CUMSUM", False),
        ("TANH", True),
    ]


def test_nodes_have_the_names_of_their_tensors(tmp_path):
    import libcompress as lc

    net = Network()
    weight = net.weight(5, 4)
    x = net.apply("FULLY_CONNECTED", net.input(1, 4), weight, -1, fusedActivationFunction=1)
    y = net.apply("NEG", x)
    net.tensors[x].name = "dense/Relu;dense/MatMul"
    net.tensors[y].name = "dense/Relu"
    net.finish(y).save(tmp_path / "model.tflite")
    model = lc.load(tmp_path / "model.tflite")
    assert [node.name for node in model.graph.nodes] == ["dense/Relu", "dense/Relu.relu", "dense/Relu_1"]
    assert list(model.weights) == ["dense/Relu.weight"]
