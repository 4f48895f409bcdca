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
        first = (OPERATORS.RELU_N1_TO_1, OPERATORS.RELU_0_TO_1, OPERATORS.HARD_SWISH, OPERATORS.ELU)
        if code in first:
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


def table(one: OneOperator, path: Path, code: int, options=None, fixed=None) -> None:
    """A function of each number; all 256 levels are in the input."""
    x = one.activation([1, 600], np.exp(one.random.uniform(-6, -1)))
    y = one.tensor([1, 600], *fixed) if fixed else one.activation([1, 600], one.scale_of(x))
    one.save(path, code, options, [x], y)


def logistic(one: OneOperator, path: Path) -> None:
    table(one, path, OPERATORS.LOGISTIC, fixed=(1 / 256, -128))


def tanh(one: OneOperator, path: Path) -> None:
    table(one, path, OPERATORS.TANH, fixed=(1 / 128, 0))


def hard_swish(one: OneOperator, path: Path) -> None:
    table(one, path, OPERATORS.HARD_SWISH)


def elu(one: OneOperator, path: Path) -> None:
    table(one, path, OPERATORS.ELU)


def gelu(one: OneOperator, path: Path) -> None:
    options = schema.GeluOptionsT()
    options.approximate = bool(one.pick(True, False))
    table(one, path, OPERATORS.GELU, options)


def leaky_relu(one: OneOperator, path: Path) -> None:
    options = schema.LeakyReluOptionsT()
    options.alpha = float(one.random.uniform(0, 1.5))
    table(one, path, OPERATORS.LEAKY_RELU, options)


def binary(one: OneOperator, path: Path, code: int, options) -> None:
    """The input and a constant, in any order, the constant repeated along some axes; or the input twice."""
    shape = [1, *(int(extent) for extent in one.random.integers(1, 9, 3))]
    x = one.activation(shape)
    other = one.pick(shape, [1, 1, 1, shape[3]], [shape[3]], [1], [1, shape[1], 1, 1])
    scale = one.random.uniform(0.01, 0.2)
    numbers = one.random.integers(-128, 128, other).astype(np.int8)
    constant = one.tensor(other, scale, int(one.random.integers(-128, 128)), numbers)
    spread = scale * 40 if code == OPERATORS.MUL else 1
    y = one.activation(shape, one.random.uniform(0.02, 0.5) * spread)
    options.fusedActivationFunction = one.pick(*ACTIVATIONS)
    one.save(path, code, options, one.pick([x, constant], [constant, x], [x, x]), y)


def add_constant(one: OneOperator, path: Path) -> None:
    binary(one, path, OPERATORS.ADD, schema.AddOptionsT())


def sub(one: OneOperator, path: Path) -> None:
    binary(one, path, OPERATORS.SUB, schema.SubOptionsT())


def mul(one: OneOperator, path: Path) -> None:
    binary(one, path, OPERATORS.MUL, schema.MulOptionsT())


def mean(one: OneOperator, path: Path) -> None:
    shape = [1, *(int(extent) for extent in one.random.integers(1, 12, 3))]
    axes = one.pick([1, 2], [2, 1], [1], [2], [3], [-1, -2, 1])
    options = schema.ReducerOptionsT()
    options.keepDims = bool(one.pick(True, False))
    gone = {axis % 4 for axis in axes}
    kept = [1 if axis in gone else extent for axis, extent in enumerate(shape)]
    left = [extent for axis, extent in enumerate(shape) if axis not in gone]
    x = one.activation(shape)
    y = one.activation(kept if options.keepDims else left, one.scale_of(x) * one.random.uniform(0.3, 1.5))
    one.save(path, OPERATORS.MEAN, options, [x, one.constant(axes, np.int32)], y)


def pad(one: OneOperator, path: Path) -> None:
    shape = [1, *(int(extent) for extent in one.random.integers(1, 9, 3))]
    padding = np.vstack([[0, 0], one.random.integers(0, 4, (3, 2))]).astype(np.int32)
    x = one.activation(shape)
    y = one.like(x, (np.array(shape) + padding.sum(1)).tolist())
    inputs = [x, one.constant(padding)]
    if one.pick(True, False):
        inputs.append(one.like(x, [1], one.random.integers(-128, 128, 1).astype(np.int8)))
    one.save(path, OPERATORS.PADV2 if len(inputs) == 3 else OPERATORS.PAD, None, inputs, y)


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
    logistic,
    tanh,
    hard_swish,
    elu,
    gelu,
    leaky_relu,
    add_constant,
    sub,
    mul,
    mean,
    pad,
]

# Not what TensorFlow Lite Micro leaves out: gelu, and another scale behind the activations with two limits.
MICRO_KINDS = [kind for kind in KINDS if kind not in (relu6, relu_0_to_1, relu_n1_to_1, gelu)]
