"""Writes TensorFlow Lite files for tests: tensors and operators one after the other, no converter."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
}


class TfliteFile:
    """A file with one graph."""

    def __init__(self):
        self.tensors: list[schema.TensorT] = []
        self.buffers = [schema.BufferT()]
        self.operator_codes: list[schema.OperatorCodeT] = []
        self.operators: list[schema.OperatorT] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def add_tensor(self, shape, dtype="float32", data: np.ndarray | None = None, name: str = "") -> int:
        """Returns its index; with data it is a constant."""
        tensor = schema.TensorT()
        tensor.name = name or f"tensor{len(self.tensors)}"
        tensor.shape = list(shape)
        tensor.type = TYPES[str(dtype)]
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, values, dtype=None) -> int:
        data = np.asarray(values, dtype)
        return self.add_tensor(data.shape, data.dtype, data)

    def quantize(self, index: int, scales, zero_point: int = 0, axis: int = 0) -> int:
        """Says how the tensor's integers stand for numbers."""
        quantization = schema.QuantizationParametersT()
        quantization.scale = np.atleast_1d(np.asarray(scales, np.float32))
        quantization.zeroPoint = np.full(len(quantization.scale), zero_point, np.int64)
        quantization.quantizedDimension = axis
        self.tensors[index].quantization = quantization
        return index

    def add_operator(
        self, code: int, inputs, outputs, options=None, version: int = 1, custom: str = ""
    ) -> None:
        operator_code = schema.OperatorCodeT()
        operator_code.builtinCode = code
        operator_code.deprecatedBuiltinCode = min(code, 127)
        operator_code.version = version
        if custom:
            operator_code.customCode = custom
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.operator_codes)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
            operator.builtinOptions = options
        self.operator_codes.append(operator_code)
        self.operators.append(operator)

    def to_bytes(self) -> bytes:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = self.inputs, self.outputs
        graph.name = "main"
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes, model.subgraphs, model.buffers = self.operator_codes, [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def save(self, path: Path) -> None:
        path.write_bytes(self.to_bytes())


class Network(TfliteFile):
    """A file of floats, its operators by name and their options by keyword."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.random = np.random.default_rng(seed)

    def input(self, *shape: int, open_batch: bool = False) -> int:
        index = self.add_tensor(shape, name=f"input{len(self.inputs)}")
        if open_batch:
            self.tensors[index].shapeSignature = [-1, *shape[1:]]
        self.inputs.append(index)
        return index

    def weight(self, *shape: int, dtype="float32") -> int:
        return self.constant(self.random.normal(0, 0.5, shape), dtype)

    def apply(self, op: str, *inputs: int, outputs: int = 1, dtype="float32", version: int = 1, **options):
        """Adds the operator; returns its output, or a list if there are several. `kind` names its options
        where that cannot be derived from its name."""
        kind = options.pop("kind", None)
        table = None
        if kind or options:
            kind = kind or "".join(word.capitalize() for word in op.split("_"))
            table = getattr(schema, f"{kind}OptionsT")()
            for name, value in options.items():
                if not hasattr(table, name):
                    raise AttributeError(f"{kind}Options has no {name}")
                setattr(table, name, value)
        made = [self.add_tensor([], dtype, name=f"{op.lower()}{len(self.tensors)}") for _ in range(outputs)]
        self.add_operator(getattr(schema.BuiltinOperator, op), inputs, made, table, version)
        return made[0] if outputs == 1 else made

    def finish(self, *outputs: int) -> Network:
        self.outputs = list(outputs)
        return self
