"""Makes .tflite files of one int8 operator with random settings, for comparisons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_files import TfliteFile

OPERATORS = schema.BuiltinOperator
ACTIVATIONS = [
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
]


class OneOperator(TfliteFile):
    """A file with one operator."""

    def __init__(self, seed: int):
        super().__init__()
        self.random = np.random.default_rng(seed)

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def tensor(self, shape, scales, zero_point=0, data: np.ndarray | None = None, axis: int = 0) -> int:
        dtype = "int8" if data is None or data.dtype == np.int8 else "int32"
        index = self.add_tensor(shape, dtype, data)
        return index if scales is None else self.quantize(index, scales, zero_point, axis)

    def activation(self, shape, scale=None) -> int:
        scale = self.random.uniform(0.01, 0.2) if scale is None else scale
        return self.tensor(shape, scale, int(self.random.integers(-128, 128)))

    def like(self, index: int, shape, data: np.ndarray | None = None) -> int:
        """A tensor of the scale that another has."""
        quantization = self.tensors[index].quantization
        return self.tensor(shape, float(quantization.scale[0]), int(quantization.zeroPoint[0]), data)

    def weights(self, shape, channels: int, axis: int, input_scale: float) -> tuple[int, int, np.ndarray]:
        """Weights and bias; the scales differ by channel."""
        scales = self.random.uniform(0.001, 0.02, channels).astype(np.float32)
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        bias = self.random.integers(-3000, 3000, channels).astype(np.int32)
        weight = self.tensor(shape, scales, 0, data, axis)
        return weight, self.tensor([channels], np.float32(input_scale) * scales, 0, bias), scales

    def scale_of(self, index: int) -> float:
        return float(self.tensors[index].quantization.scale[0])

    def save(self, path: Path, code: int, options, inputs, output: int) -> None:
        version = 5 if code == OPERATORS.FULLY_CONNECTED else 3 if code == OPERATORS.CONV_2D else 2
        if code == OPERATORS.DEPTHWISE_CONV_2D:
            version = 3
        if code in (OPERATORS.RELU_N1_TO_1, OPERATORS.RELU_0_TO_1):
            version = 1
        self.add_operator(code, inputs, [output], options, version)
        constants = {i for i, tensor in enumerate(self.tensors) if tensor.buffer}
        self.inputs = list(dict.fromkeys(index for index in inputs if index not in constants))
        self.outputs = [output]
        super().save(path)


def window(one: OneOperator, options, height: int, width: int, kernel: list[int], dilation: int) -> list[int]:
    """Fills padding and stride in; returns the output's extents."""
    options.padding = one.pick(schema.Padding.SAME, schema.Padding.VALID)
    options.strideH, options.strideW = int(one.random.integers(1, 4)), int(one.random.integers(1, 4))
    extents = []
    for extent, size, stride in zip((height, width), kernel, (options.strideH, options.strideW), strict=True):
        span = (size - 1) * dilation + 1
        covered = extent if options.padding == schema.Padding.SAME else extent - span + 1
        extents.append(-(-covered // stride))
    return extents


def convolution(one: OneOperator, path: Path, depthwise: bool) -> None:
    height, width = int(one.random.integers(7, 14)), int(one.random.integers(7, 14))
    channels = int(one.random.integers(1, 20))
    kernel = [int(one.random.integers(1, 4)), int(one.random.integers(1, 4))]
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    dilation = one.pick(1, 1, 2)
    extents = window(one, options, height, width, kernel, dilation)
    options.dilationHFactor = options.dilationWFactor = dilation
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    x = one.activation([1, height, width, channels])
    if depthwise:
        options.depthMultiplier = int(one.random.integers(1, 4))
        outputs = channels * options.depthMultiplier
        weight, bias, _ = one.weights([1, *kernel, outputs], outputs, 3, one.scale_of(x))
    else:
        outputs = int(one.random.integers(1, 20))
        weight, bias, _ = one.weights([outputs, *kernel, channels], outputs, 0, one.scale_of(x))
    y = one.activation([1, *extents, outputs], one.random.uniform(0.02, 0.5))
    if depthwise:
        one.save(path, OPERATORS.DEPTHWISE_CONV_2D, options, [x, weight, bias], y)
    else:
        one.save(path, OPERATORS.CONV_2D, options, [x, weight, bias], y)


def conv(one: OneOperator, path: Path) -> None:
    convolution(one, path, False)


def depthwise_conv(one: OneOperator, path: Path) -> None:
    convolution(one, path, True)


def fully_connected(one: OneOperator, path: Path) -> None:
    features, outputs = int(one.random.integers(1, 200)), int(one.random.integers(2, 40))
    x = one.activation([1, features])
    scale = one.random.uniform(0.001, 0.02)
    data = one.random.integers(-127, 128, (outputs, features)).astype(np.int8)
    bias = one.random.integers(-3000, 3000, outputs).astype(np.int32)
    weight = one.tensor([outputs, features], scale, 0, data)
    b = one.tensor([outputs], np.float32(one.scale_of(x)) * np.float32(scale), 0, bias)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    y = one.activation([1, outputs], one.random.uniform(0.02, 0.5))
    one.save(path, OPERATORS.FULLY_CONNECTED, options, [x, weight, b], y)


def fully_connected_per_channel(one: OneOperator, path: Path) -> None:
    features, outputs = int(one.random.integers(1, 200)), int(one.random.integers(2, 40))
    x = one.activation([1, features])
    weight, bias, _ = one.weights([outputs, features], outputs, 0, one.scale_of(x))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    y = one.activation([1, outputs], one.random.uniform(0.02, 0.5))
    one.save(path, OPERATORS.FULLY_CONNECTED, options, [x, weight, bias], y)


def pool(one: OneOperator, path: Path, code: int) -> None:
    height, width = int(one.random.integers(7, 14)), int(one.random.integers(7, 14))
    kernel = [int(one.random.integers(1, 6)), int(one.random.integers(1, 6))]
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = kernel
    extents = window(one, options, height, width, kernel, 1)
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    channels = int(one.random.integers(1, 20))
    x = one.activation([1, height, width, channels])
    zero_point = int(one.tensors[x].quantization.zeroPoint[0])
    y = one.tensor([1, *extents, channels], one.scale_of(x), zero_point)
    one.save(path, code, options, [x], y)


def max_pool(one: OneOperator, path: Path) -> None:
    pool(one, path, OPERATORS.MAX_POOL_2D)


def average_pool(one: OneOperator, path: Path) -> None:
    pool(one, path, OPERATORS.AVERAGE_POOL_2D)


def softmax(one: OneOperator, path: Path) -> None:
    classes = int(one.random.integers(2, 200))
    x = one.activation([1, classes], np.exp(one.random.uniform(-7, 3)))
    y = one.tensor([1, classes], 1 / 256, -128)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    one.save(path, OPERATORS.SOFTMAX, options, [x], y)


def add(one: OneOperator, path: Path) -> None:
    """x + conv(x) would need two operators: both operands are the input."""
    shape = [1, int(one.random.integers(1, 300))]
    x = one.activation(shape)
    y = one.activation(shape, one.random.uniform(0.02, 0.5))
    options = schema.AddOptionsT()
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    one.save(path, OPERATORS.ADD, options, [x, x], y)


def quantize(one: OneOperator, path: Path) -> None:
    shape = [1, int(one.random.integers(1, 300))]
    x = one.activation(shape)
    y = one.activation(shape, one.random.uniform(0.01, 0.5))
    one.save(path, OPERATORS.QUANTIZE, schema.QuantizeOptionsT(), [x], y)


def clamp(one: OneOperator, path: Path, code: int) -> None:
    """An activation by itself, to another scale."""
    shape = [1, int(one.random.integers(1, 300))]
    x = one.activation(shape)
    y = one.activation(shape, one.random.uniform(0.005, 0.2))
    one.save(path, code, None, [x], y)


def relu(one: OneOperator, path: Path) -> None:
    clamp(one, path, OPERATORS.RELU)


def relu6(one: OneOperator, path: Path) -> None:
    clamp(one, path, OPERATORS.RELU6)


def relu_0_to_1(one: OneOperator, path: Path) -> None:
    clamp(one, path, OPERATORS.RELU_0_TO_1)


def relu_n1_to_1(one: OneOperator, path: Path) -> None:
    clamp(one, path, OPERATORS.RELU_N1_TO_1)


def bound(one: OneOperator, path: Path) -> None:
    shape = [1, int(one.random.integers(1, 300))]
    x = one.activation(shape)
    y, level = one.like(x, shape), one.like(x, [1], one.random.integers(-128, 128, 1).astype(np.int8))
    code = one.pick(OPERATORS.MAXIMUM, OPERATORS.MINIMUM)
    one.save(path, code, None, [x, level], y)


KINDS = [
    conv,
    depthwise_conv,
    fully_connected,
    fully_connected_per_channel,
    max_pool,
    average_pool,
    softmax,
    add,
    quantize,
    relu,
    relu6,
    relu_0_to_1,
    relu_n1_to_1,
    bound,
]
