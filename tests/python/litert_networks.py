"""Reads an int8 .tflite file into the file format of libcompress's 8-bit networks, for comparisons.

A reader for tests: it understands the operators that the 8-bit graph has and asserts on everything else.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from safetensors.numpy import save_file

DTYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
NAMES = {
    getattr(schema.BuiltinOperator, name): name
    for name in dir(schema.BuiltinOperator)
    if not name.startswith("_")
}


def requantization(factor: float) -> list[int]:
    """The multiplier and shift of a real factor, rounded half away from zero."""
    fraction, exponent = math.frexp(factor)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    return [0, 0] if exponent < -31 or multiplier == 0 else [multiplier, exponent]


class Converter:
    """One .tflite file becoming values and nodes."""

    def __init__(self, path: Path):
        self.model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        self.graph = self.model.subgraphs[0]
        self.values: list[dict] = []
        self.nodes: list[dict] = []
        self.constants: dict[str, np.ndarray] = {}
        self.position: dict[int, int] = {}  # of a file's tensor in `values`

    def tensor(self, index: int):
        return self.graph.tensors[index]

    def data(self, index: int) -> np.ndarray | None:
        tensor = self.tensor(index)
        raw = self.model.buffers[tensor.buffer].data
        if raw is None:
            return None
        return np.frombuffer(bytes(raw), DTYPES[tensor.type]).reshape(tensor.shape)

    def scales(self, index: int) -> np.ndarray:
        return np.asarray(self.tensor(index).quantization.scale, np.float32)

    def zero_point(self, index: int) -> int:
        return int(self.tensor(index).quantization.zeroPoint[0])

    def activation(self, index: int) -> int:
        if index not in self.position:
            shape = [int(extent) for extent in self.tensor(index).shape]
            self.position[index] = self.add(
                f"t{index}", "int8", shape, float(self.scales(index)[0]), self.zero_point(index)
            )
        return self.position[index]

    def add(self, name: str, dtype: str, shape: list[int], scale: float, zero_point: int, **more) -> int:
        value = {"name": name, "dtype": dtype, "shape": shape, "scale": scale, "zero_point": zero_point}
        self.values.append({**value, "constant": False, **more})
        return len(self.values) - 1

    def constant(self, name: str, data: np.ndarray, scales: np.ndarray, per_channel: bool) -> int:
        more = {"channel_scales": [float(scale) for scale in scales]} if per_channel else {}
        scale = 1.0 if per_channel else float(scales[0])
        self.constants[name] = np.ascontiguousarray(data)
        return self.add(name, str(data.dtype), list(data.shape), scale, 0, constant=True, **more)

    def clamp(self, activation: int, output: int) -> dict:
        low, high = -128, 127
        if activation in (schema.ActivationFunctionType.RELU, schema.ActivationFunctionType.RELU6):
            low = max(low, self.zero_point(output))
        if activation == schema.ActivationFunctionType.RELU6:
            six = np.float32(6) / self.scales(output)[0]
            high = min(high, self.zero_point(output) + math.floor(float(six) + 0.5))
        return {"clamp_min": low, "clamp_max": high}

    def window(self, options, kernel: list[int], op, dilation: list[int]) -> dict:
        before, after = [], []
        stride = [options.strideH, options.strideW]
        extents = self.tensor(op.inputs[0]).shape[1:3]
        for axis in range(2):
            span = (kernel[axis] - 1) * dilation[axis] + 1
            needed = (math.ceil(extents[axis] / stride[axis]) - 1) * stride[axis] + span - int(extents[axis])
            pad = max(needed, 0) if options.padding == schema.Padding.SAME else 0
            before.append(pad // 2)
            after.append(pad - pad // 2)
        return {
            "kernel": kernel,
            "stride": stride,
            "pad_begin": before,
            "pad_end": after,
            "dilation": dilation,
        }

    def weighted(self, op, weights: np.ndarray, per_channel: bool) -> dict:
        """Inputs and requantization of a conv or linear; per tensor, the first product is float32's."""
        x, w, b = op.inputs
        output = op.outputs[0]
        scales = self.scales(w)
        if len(scales) == 1 and per_channel:
            scales = np.repeat(scales, weights.shape[0])
        bias = self.data(b) if b >= 0 else np.zeros(weights.shape[0], np.int32)
        if per_channel:
            factors = [float(self.scales(x)[0]) * float(s) / float(self.scales(output)[0]) for s in scales]
        else:
            factors = [float(self.scales(x)[0] * scales[0]) / float(self.scales(output)[0])] * weights.shape[
                0
            ]
        ids = [
            self.activation(x),
            self.constant(f"w{w}", weights, scales, per_channel),
            self.constant(f"b{output}", bias, self.scales(x) * scales, per_channel),
        ]
        return {"inputs": ids, "requantization": [requantization(factor) for factor in factors]}

    def node(self, op) -> dict:
        code = self.model.operatorCodes[op.opcodeIndex]
        kind = NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        options = op.builtinOptions
        x, output = op.inputs[0], op.outputs[0]
        match kind:
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                weights = self.data(op.inputs[1])
                depthwise = kind == "DEPTHWISE_CONV_2D"
                if depthwise:
                    weights = weights.transpose(3, 1, 2, 0)
                dilation = [options.dilationHFactor, options.dilationWFactor]
                return {
                    "op": "conv",
                    **self.weighted(op, weights, True),
                    **self.window(options, [int(extent) for extent in weights.shape[1:3]], op, dilation),
                    "groups": int(self.tensor(x).shape[3]) // weights.shape[3],
                    **self.clamp(options.fusedActivationFunction, output),
                }
            case "FULLY_CONNECTED":
                clamp = self.clamp(options.fusedActivationFunction, output)
                per_channel = len(self.scales(op.inputs[1])) > 1
                return {"op": "linear", **self.weighted(op, self.data(op.inputs[1]), per_channel), **clamp}
            case "MAX_POOL_2D" | "AVERAGE_POOL_2D":
                kernel = [options.filterHeight, options.filterWidth]
                return {
                    "op": "max_pool" if kind == "MAX_POOL_2D" else "avg_pool",
                    **self.window(options, kernel, op, [1, 1]),
                    **self.clamp(options.fusedActivationFunction, output),
                }
            case "ADD":
                scales = [float(self.scales(index)[0]) for index in (*op.inputs, output)]
                twice = 2 * max(scales[:2])
                return {
                    "op": "add",
                    "inputs": [self.activation(index) for index in op.inputs],
                    "left": requantization(scales[0] / twice),
                    "right": requantization(scales[1] / twice),
                    "output_requantization": requantization(twice / (2**20 * scales[2])),
                    "left_shift": 20,
                    **self.clamp(options.fusedActivationFunction, output),
                }
            case "CONCATENATION":
                ids = [self.activation(index) for index in op.inputs]
                return {"op": "concat", "inputs": ids, "axis": options.axis}
            case "TRANSPOSE":
                return {"op": "transpose", "order": [int(axis) for axis in self.data(op.inputs[1])]}
            case "RESHAPE":
                return {"op": "reshape"}
            case "SOFTMAX":
                assert options.beta == 1.0
                multiplier, shift = requantization(min(float(self.scales(x)[0]) * 2**26, 2**31 - 1))
                diff_min = -math.floor(31 * 2**26 / 2 ** max(shift, 0))
                return {"op": "softmax", "input": [multiplier, shift], "diff_min": diff_min}
            case "QUANTIZE":
                factor = float(self.scales(x)[0]) / float(self.scales(output)[0])
                low_high = {"clamp_min": -128, "clamp_max": 127}
                return {"op": "requantize", "requantization": requantization(factor), **low_high}
        raise AssertionError(f"operator {kind}")

    def save(self, path: Path, profile: str = "litert") -> dict[str, int]:
        """Writes the 8-bit network; returns the file's tensor index by value name."""
        inputs = [self.activation(index) for index in self.graph.inputs]
        for op in self.graph.operators:
            node = {"name": f"n{len(self.nodes)}", **self.node(op)}
            node.setdefault("inputs", [self.activation(op.inputs[0])])
            node["output"] = self.activation(op.outputs[0])
            self.nodes.append(node)
        graph = {
            "name": "network",
            "profile": profile,
            "inputs": inputs,
            "outputs": [self.activation(index) for index in self.graph.outputs],
            "values": self.values,
            "nodes": self.nodes,
        }
        metadata = {"format": "libcompress.quantized", "version": "1", "graph": json.dumps(graph)}
        save_file(self.constants, path, metadata)
        return {f"t{index}": index for index in self.position}
