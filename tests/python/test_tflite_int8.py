"""int8 .tflite files on the command line and in Python: what is written as C, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED, call

pytest.importorskip("ai_edge_litert")
from ai_edge_litert import schema_py_generated as schema
from tflite_files import TfliteFile

KEYWORDS = SHARED / "mlperf-tiny" / "kws_ref_model.tflite"
OPERATORS = schema.BuiltinOperator


class Layer(TfliteFile):
    """One fully connected layer of four inputs and three outputs."""

    def __init__(
        self, scale: float = 0.1, weight_type: str = "int8", bias_count: int = 3, weight_zero: int = 0
    ):
        super().__init__()
        self.x = self.quantize(self.add_tensor([1, 4], "int8", name="x"), scale, 3)
        data = np.arange(-6, 6).astype(weight_type).reshape(3, 4)
        self.weight = self.quantize(self.constant(data), 0.02, weight_zero)
        self.bias = self.constant(np.arange(bias_count, dtype=np.int32))
        self.y = self.quantize(self.add_tensor([1, 3], "int8", name="y"), 0.05, -4)
        self.inputs, self.outputs = [self.x], [self.y]

    def finish(self, path: Path) -> Path:
        options = schema.FullyConnectedOptionsT()
        self.add_operator(OPERATORS.FULLY_CONNECTED, [self.x, self.weight, self.bias], [self.y], options, 5)
        self.save(path)
        return path


def refusal(path: Path, tmp_path: Path) -> str:
    result = call("export", path, "--out", tmp_path / "c")
    assert result.code == 4, result.err
    assert str(path) in result.err
    return result.err


def build_and_test(folder: Path) -> None:
    for command in (["cmake", "-S", ".", "-B", "b"], ["cmake", "--build", "b"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["ctest", "--output-on-failure"], cwd=folder / "b", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("profile", ["litert", "tflite-micro"])
def test_an_int8_file_is_exported_as_c_that_passes_its_own_test(tmp_path, profile):
    path = Layer().finish(tmp_path / "layer.tflite")
    result = call("export", path, "--out", tmp_path / "c", "--name", "layer", "--profile", profile)
    assert result.code == 0, result.err
    build_and_test(tmp_path / "c")


def test_the_published_keyword_network_is_exported_as_c_that_passes_its_own_test(tmp_path):
    if not KEYWORDS.exists():
        pytest.skip("the published networks are not here")
    result = call("export", KEYWORDS, "--out", tmp_path / "c", "--name", "keywords", "--json")
    assert result.code == 0, result.err
    assert result.json["macs"] == 2656768
    build_and_test(tmp_path / "c")


def test_a_float_input_and_output_are_left_out(tmp_path):
    layer = Layer()
    given, result = layer.add_tensor([1, 4], name="given"), layer.add_tensor([1, 3], name="result")
    layer.add_operator(OPERATORS.QUANTIZE, [given], [layer.x])
    layer.inputs, layer.outputs = [given], [result]
    path = tmp_path / "floats.tflite"
    layer.finish(path)
    layer.add_operator(OPERATORS.DEQUANTIZE, [layer.y], [result])
    layer.save(path)
    exported = call("export", path, "--out", tmp_path / "c")
    assert exported.code == 0, exported.err


def test_a_scale_of_zero_is_refused_by_its_tensor(tmp_path):
    assert "tensor 'x': a scale of 0" in refusal(Layer(scale=0).finish(tmp_path / "net.tflite"), tmp_path)


def test_an_activation_without_a_scale_is_refused(tmp_path):
    layer = Layer()
    layer.tensors[layer.y].quantization = None
    message = refusal(layer.finish(tmp_path / "net.tflite"), tmp_path)
    assert "tensor 'y': INT8 without a scale" in message
    assert "full integer quantization" in message


def test_an_activation_with_scales_by_channel_is_refused(tmp_path):
    layer = Layer()
    layer.quantize(layer.y, [0.1, 0.2, 0.3], 0, 1)
    assert "tensor 'y': an activation with 3 scales" in refusal(
        layer.finish(tmp_path / "net.tflite"), tmp_path
    )


def test_weights_with_too_few_scales_are_refused(tmp_path):
    layer = Layer()
    layer.quantize(layer.weight, [0.1, 0.2])
    assert "2 scales along axis 0 of [3, 4]" in refusal(layer.finish(tmp_path / "net.tflite"), tmp_path)


def test_weights_with_a_zero_point_are_refused(tmp_path):
    path = Layer(weight_zero=1).finish(tmp_path / "net.tflite")
    assert "weights with a zero point" in refusal(path, tmp_path)


def test_weights_of_another_type_are_refused(tmp_path):
    path = Layer(weight_type="uint8").finish(tmp_path / "net.tflite")
    assert "UINT8 for input 1" in refusal(path, tmp_path)


def test_a_bias_of_another_size_is_refused(tmp_path):
    path = Layer(bias_count=2).finish(tmp_path / "net.tflite")
    assert "a bias of shape [2]" in refusal(path, tmp_path)


def test_a_constant_that_is_shorter_than_its_shape_is_refused(tmp_path):
    layer = Layer()
    layer.tensors[layer.weight].shape = [3, 5]
    assert "12 bytes for shape [3, 5]" in refusal(layer.finish(tmp_path / "net.tflite"), tmp_path)


def test_an_operator_without_an_8_bit_form_is_named_with_those_that_have_one(tmp_path):
    layer = Layer()
    z = layer.quantize(layer.add_tensor([1, 3], "int8", name="z"), 0.05, -4)
    path = tmp_path / "net.tflite"
    layer.finish(path)
    layer.add_operator(OPERATORS.CUMSUM, [layer.y], [z])
    layer.outputs = [z]
    layer.save(path)
    message = refusal(path, tmp_path)
    assert "operator 1 (CUMSUM)" in message
    assert "FULLY_CONNECTED" in message
