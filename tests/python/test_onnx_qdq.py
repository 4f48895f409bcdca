"""Files that the exporter `onnx_qdq` writes, run by ONNX Runtime: how far its rounding is from ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import BUILD, SHARED, call
from torch import nn

import libcompress as lc

onnx = pytest.importorskip("onnx")
shape_inference = pytest.importorskip("onnx.shape_inference")
onnxruntime = pytest.importorskip("onnxruntime")

LEVELS = {
    "fused into integers": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "as it is written": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


def adds_in_32_bits() -> bool:
    """Whether the processor has VNNI; ONNX Runtime's kernels for older ones of x86 add pairs in 16 bits."""
    information = Path("/proc/cpuinfo").read_text()
    return "flags" not in information or "vnni" in information


class Written:
    """An 8-bit network, and the file that it became."""

    def __init__(self, quantized: lc.QuantizedModel, folder: Path):
        self.quantized = quantized
        (self.path,) = quantized.export(folder, "onnx_qdq")
        self.proto = onnx.load(self.path)
        onnx.checker.check_model(self.proto, full_check=True)
        self.constants = {
            each.name: onnx.numpy_helper.to_array(each) for each in self.proto.graph.initializer
        }

    def operators(self) -> list[str]:
        return [node.op_type for node in self.proto.graph.node]

    def inputs(self, count: int) -> np.ndarray:
        """Random bytes of the whole range, as the real numbers that they stand for."""
        (value,) = self.proto.graph.input
        dims = value.type.tensor_type.shape.dim
        assert dims[0].dim_param == "batch"
        shape = [count, *(each.dim_value for each in dims[1:])]
        first = next(node for node in self.proto.graph.node if value.name in node.input)
        scale, zero_point = (self.constants[name] for name in first.input[1:])
        return scale * (np.random.default_rng(1).integers(-128, 128, shape) - zero_point).astype(np.float32)

    def run(self, inputs: np.ndarray, level: str = "fused into integers") -> np.ndarray:
        if level == "fused into integers" and not adds_in_32_bits():
            pytest.skip("ONNX Runtime's sums of products may saturate on this processor")
        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = LEVELS[level]
        settings.optimized_model_filepath = str(self.path.with_name("optimized.onnx"))
        settings.log_severity_level = 3
        session = onnxruntime.InferenceSession(self.path, settings, providers=["CPUExecutionProvider"])
        (outputs,) = session.run(None, {session.get_inputs()[0].name: inputs})
        return outputs.reshape(len(inputs), -1)

    def steps_apart(self, inputs: np.ndarray, level: str) -> np.ndarray:
        """Of every output byte: ONNX Runtime's against ours."""
        (output,) = self.proto.graph.output
        last = next(node for node in self.proto.graph.node if output.name in node.output)
        ours = self.quantized.run(inputs)
        return np.abs(np.rint((self.run(inputs, level) - ours) / self.constants[last.input[1]]))


def litert_kinds() -> list:
    pytest.importorskip("ai_edge_litert")
    from litert_operators import KINDS

    return KINDS


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(4))
def test_a_single_operator_is_at_most_one_step_apart(level, seed, tmp_path):
    from litert_operators import OneOperator

    for kind in litert_kinds():
        kind(OneOperator(seed), tmp_path / "one.tflite")
        written = Written(lc.load_quantized(tmp_path / "one.tflite"), tmp_path)
        assert written.steps_apart(written.inputs(20), level).max() <= 1, kind.__name__


#: Of 100 random inputs: at least this share of the output bytes is equal, and of the winning classes.
PUBLISHED = {
    "mlperf-tiny/ad01_int8.tflite": (0.99, 1.0),
    "mlperf-tiny/kws_ref_model.tflite": (0.93, 0.97),
    "mlperf-tiny/pretrainedResnet_quant.tflite": (0.8, 0.95),
    "mlperf-tiny/vww_96_int8.tflite": (0.9, 0.98),
    "acdnet-published/acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite": (0.91, 0.98),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("network", PUBLISHED)
def test_a_published_network_keeps_its_answers(network, level, tmp_path):
    if not (SHARED / network).exists():
        pytest.skip("the published networks are not here")
    written = Written(lc.load_quantized(SHARED / network), tmp_path)
    inputs = written.inputs(100)
    equal = (written.steps_apart(inputs, level) == 0).mean()
    same_class = (written.run(inputs, level).argmax(1) == written.quantized.run(inputs).argmax(1)).mean()
    print(f"{network}, {level}: {equal:.2%} of the bytes equal, {same_class:.0%} of the classes")
    least_equal, least_same_class = PUBLISHED[network]
    assert equal >= least_equal
    assert same_class >= least_same_class


class Residual(nn.Module):
    """Images that are added, joined, pooled and flattened in front of a linear layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.third = nn.Conv2d(16, 6, 1)
        self.last = nn.Linear(6 * 4 * 5, 10)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = torch.cat([x, x + self.second(x)], 1)
        x = nn.functional.max_pool2d(torch.relu(self.third(x)), 2)
        return self.last(x.flatten(1))


@pytest.fixture(scope="module")
def residual() -> lc.QuantizedModel:
    torch.manual_seed(4)
    examples = torch.randn(32, 3, 8, 10)
    return lc.from_torch(Residual().eval(), examples[:1]).quantize(examples.numpy())


def undeclared(proto: onnx.ModelProto) -> set[str]:
    """Operators whose result has no shape in the file; declared shapes are held against ONNX's own rules."""
    shape_inference.infer_shapes(proto, strict_mode=True, check_type=True, data_prop=True)
    graph = proto.graph
    told = {value.name for value in [*graph.value_info, *graph.output]}
    stored = {constant.name for constant in graph.initializer}
    return {node.op_type for node in graph.node if node.output[0] not in told and node.input[0] not in stored}


def test_every_edge_has_its_shape(residual, tmp_path):
    assert undeclared(Written(residual, tmp_path).proto) <= {"Reshape", "Transpose"}
    for kind in litert_kinds():
        from litert_operators import OneOperator

        kind(OneOperator(1), tmp_path / "one.tflite")
        written = Written(lc.load_quantized(tmp_path / "one.tflite"), tmp_path)
        parts_of_a_table = {"Sigmoid", "HardSigmoid", "Mul", "Add", "Erf", "Tanh"}
        assert undeclared(written.proto) <= {"Reshape", "Transpose", "Gemm", *parts_of_a_table}, kind.__name__


@pytest.mark.parametrize("level", LEVELS)
def test_an_own_network_is_at_most_two_steps_apart(residual, level, tmp_path):
    written = Written(residual, tmp_path)
    apart = written.steps_apart(written.inputs(50), level)
    assert apart.max() <= 2
    assert (apart == 0).mean() > 0.9


def test_images_are_channels_first_and_nothing_is_transposed(residual, tmp_path):
    written = Written(residual, tmp_path)
    shape = written.proto.graph.input[0].type.tensor_type.shape.dim
    assert [each.dim_value for each in shape[1:]] == [3, 8, 10]
    assert "Transpose" not in written.operators()


def test_onnx_runtime_makes_integer_operators_of_it(tmp_path):
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, groups=8),
        nn.AvgPool2d(3),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    examples = torch.randn(16, 3, 8, 8)
    written = Written(lc.from_torch(network.eval(), examples[:1]).quantize(examples.numpy()), tmp_path)
    written.run(written.inputs(1))
    fused = {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}
    assert {"QLinearConv", "QGemm"} <= fused
    assert not fused & {"Conv", "AveragePool", "Gemm"}


def in_16_bits(network: nn.Module, *nodes: str) -> lc.QuantizedModel:
    torch.manual_seed(4)
    examples = torch.randn(32, 3, 8, 10)
    return lc.from_torch(network.eval(), examples[:1]).quantize(examples.numpy(), int16=nodes)


@pytest.mark.parametrize("level", LEVELS)
def test_activations_of_16_bits_are_int16_in_the_file(level, tmp_path):
    written = Written(in_16_bits(Residual(), "*"), tmp_path)
    assert [(each.version, written.proto.ir_version) for each in written.proto.opset_import] == [(21, 10)]
    quantized = [node for node in written.proto.graph.node if node.op_type == "QuantizeLinear"]
    widths = [written.constants[node.input[2]].dtype.itemsize for node in quantized]
    assert widths[0] == widths[-1] == 1  # the network's ends
    assert widths.count(2) > 5
    assert undeclared(written.proto) <= {"Reshape", "Transpose"}
    assert written.steps_apart(written.inputs(50), level).max() <= 1


class MeanOfChannels(nn.Module):
    """A mean, which has 8 bits only, behind a convolution that may have 16."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.first(x)).mean(1, keepdim=True).flatten(1)


def test_a_mean_of_8_bits_may_follow_16(tmp_path):
    written = Written(in_16_bits(MeanOfChannels(), "first"), tmp_path)
    assert "ReduceMean" in written.operators()
    assert written.steps_apart(written.inputs(50), "as it is written").max() <= 1


@pytest.mark.parametrize("level", LEVELS)
def test_random_networks_of_both_widths_are_few_steps_apart(level, tmp_path):
    command = [BUILD / "bin" / "qrandom", tmp_path, "0", "80", "1", "wide"]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    apart = []
    for network in sorted(tmp_path.glob("*.tflite")):
        written = Written(lc.load_quantized(network), tmp_path)
        if len(written.proto.graph.output) == 1:
            apart.append(written.steps_apart(written.inputs(20), level).ravel())
    assert len(apart) > 40  # others have several outputs, or are refused by the format that brings them here
    apart = np.concatenate(apart)
    print(f"{level}: {(apart == 0).mean():.2%} of the bytes equal, {(apart <= 1).mean():.3%} within a step")
    assert (apart == 0).mean() > 0.97
    assert apart.max() <= 3


def test_the_command_writes_the_same_file(residual, tmp_path):
    residual.save(tmp_path / "quantized.safetensors")
    result = call("export", tmp_path / "quantized.safetensors", "--to", "onnx_qdq", "--out", tmp_path / "out")
    assert result.code == 0, result.err
    assert (tmp_path / "out" / "network.onnx").read_bytes() == Written(residual, tmp_path).path.read_bytes()


def test_a_run_tells_that_runtimes_round_in_their_own_way(tiny_run):
    onnx.checker.check_model(tiny_run / "onnx_qdq" / "tiny_net.onnx", full_check=True)
    checks = json.loads((tiny_run / "report.json").read_text())["checks"]
    (proof,) = (check for check in checks if check["name"].startswith("ONNX"))
    assert proof["verdict"] == "skipped"
