"""What the function of one operator sees, and how it adds calls to the module that is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from libcompress import _core
from libcompress.torch_export.paths import Paths, clean_path, identifier

#: An fx node, or a number that stands for a constant of rank 0.
Operand = fx.Node | float


@dataclass(frozen=True)
class Layer:
    """A layer as torch.nn has it: how to make it, and which operands are which of its tensors."""

    make: Callable[[], torch.nn.Module]
    tensors: dict[str, int]  #: by attribute ("weight"): the value's id


class Writer:
    """The module in the making."""

    def __init__(self, graph: _core.Graph, weights: dict):
        self.graph = graph
        self.weights = weights
        self.paths = Paths()
        self.code = fx.Graph()
        self.operands: dict[int, fx.Node] = {}  #: by value id
        self.homes: dict[int, str] = {}  #: by id of a parameter or buffer: its attribute path
        self.layers: dict[str, tuple[str, dict]] = {}  #: by path: settings and tensors, to share a layer
        self.batchless: set[int] = {value.id for value in graph.values if self._stored(value)}

    def _stored(self, value: _core.Value) -> bool:
        return value.kind in (_core.ValueKind.parameter, _core.ValueKind.buffer)

    def is_stored(self, value: int) -> bool:
        return self._stored(self.graph.value(value))

    def is_trained(self, value: int) -> bool:
        return self.graph.value(value).kind == _core.ValueKind.parameter

    def tensor(self, value: int) -> torch.Tensor:
        """A copy of a parameter's or buffer's elements."""
        return torch.from_numpy(self.weights[self.graph.value(value).name].copy())

    def number(self, value: int) -> float | None:
        """A constant of rank 0."""
        found = self.graph.value(value)
        plain = found.kind == _core.ValueKind.buffer and found.shape == ()
        return float(self.weights[found.name]) if plain else None

    def operand(self, value: int) -> fx.Node:
        """What the code calls the value."""
        if value in self.operands:
            return self.operands[value]
        name = self.graph.value(value).name
        if value not in self.homes:
            path = self.paths.free(clean_path(name))
            self.paths.add_tensor(path, self.tensor(value), self.is_trained(value))
            self.homes[value] = path
        path = self.homes[value]
        with self.code.inserting_after(self._last_placeholder()):
            node = self.code.create_node("get_attr", path, name=identifier(path))
        self.operands[value] = node
        return node

    def _last_placeholder(self) -> fx.Node:
        return [node for node in self.code.nodes if node.op == "placeholder"][-1]


def _without_elements(layer: Layer) -> torch.nn.Module:
    """The layer, spared the initial values that nobody will see."""
    with torch.device("meta"):
        return layer.make()


class Emitter:
    """One node of the graph on its way."""

    def __init__(self, writer: Writer, node: _core.Node):
        self.writer = writer
        self.node = node
        self.attributes: dict[str, Any] = node.attributes
        self._calls = 0

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    # ---- operands

    @property
    def count(self) -> int:
        return len(self.node.inputs)

    def operand(self, i: int) -> fx.Node:
        return self.writer.operand(self.node.inputs[i])

    def operands(self) -> list[fx.Node]:
        return [self.operand(i) for i in range(self.count)]

    def numbers_or_operands(self) -> list[Operand]:
        """Constants of rank 0 as the numbers that they are, unless there is nothing else."""
        numbers = [self.writer.number(value) for value in self.node.inputs]
        if all(number is not None for number in numbers):
            return self.operands()
        return [self.operand(i) if number is None else number for i, number in enumerate(numbers)]

    def optional(self, i: int) -> fx.Node | None:
        return self.operand(i) if i < self.count else None

    def shape(self, i: int = 0) -> tuple[int, ...]:
        return self.writer.graph.value(self.node.inputs[i]).shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.writer.graph.value(self.node.output).shape

    @property
    def spatial(self) -> int:
        return len(self.shape()) - 2

    def along_axes(self, attribute: str, default: int) -> list[int]:
        """One number a spatial axis; the default where the attribute is empty or the operator has none."""
        return self.attributes.get(attribute) or [default] * self.spatial

    def lacks_batch(self, i: int) -> bool:
        """Whether the operand depends on no input of the network."""
        return self.node.inputs[i] in self.writer.batchless

    # ---- calls

    def call(self, function: Callable, *args: Any, **kwargs: Any) -> fx.Node:
        name = identifier(self.node.name)
        return self.writer.code.create_node("call_function", function, args, kwargs, name=name)

    def method(self, name: str, *args: Any) -> fx.Node:
        return self.writer.code.create_node("call_method", name, args, name=identifier(self.node.name))

    def module(self, module: torch.nn.Module, *args: Any) -> fx.Node:
        """A module of its own, at the node's name."""
        path = self.writer.paths.free(clean_path(self.node.name))
        self.writer.paths.add_module(path, module)
        return self.writer.code.create_node("call_module", path, args, name=identifier(self.node.name))

    def constant(self, tensor: torch.Tensor, part: str) -> fx.Node:
        """A buffer that the graph has as an attribute."""
        path = self.writer.paths.free(clean_path(f"{self.node.name}.{part}"))
        self.writer.paths.add_tensor(path, tensor, trained=False)
        return self.writer.code.create_node("get_attr", path, name=identifier(path))

    def layer(self, layer: Layer, *args: Any) -> fx.Node | None:
        """A call of the layer at the path that its tensors' names have in common.

        None where it cannot be a layer: a tensor is computed, or lives in another layer already, or has a
        path of its own in the state dict that no layer would give it ("attention.in_proj_weight").
        """
        path = self._layer_path(layer)
        if path is None:
            return None
        if path not in self.writer.layers:
            module = _without_elements(layer)
            self._fill(module, layer, path)
            self.writer.paths.add_module(path, module)
            self.writer.layers[path] = (repr(module), layer.tensors)
        return self.writer.code.create_node("call_module", path, args, name=identifier(self.node.name))

    def _layer_path(self, layer: Layer) -> str | None:
        writer = self.writer
        if not all(self._may_be(attribute, value) for attribute, value in layer.tensors.items()):
            return None
        homes = {writer.homes.get(value) for value in layer.tensors.values()}
        if homes != {None}:  # used before: the same layer again, or none
            return self._same_layer(layer)
        named = self._common_path(layer)
        if named is None and any(self._has_path(value) for value in layer.tensors.values()):
            return None
        return writer.paths.free(named or clean_path(self.node.name))

    def _has_path(self, value: int) -> bool:
        name = self.writer.graph.value(value).name
        return "." in name and clean_path(name) == name

    def _may_be(self, attribute: str, value: int) -> bool:
        """Statistics are buffers, all else is trained."""
        trained = not attribute.startswith("running")
        return self.writer.is_stored(value) and self.writer.is_trained(value) == trained

    def _same_layer(self, layer: Layer) -> str | None:
        for path, known in self.writer.layers.items():
            if known == (repr(_without_elements(layer)), layer.tensors):
                return path
        return None

    def _common_path(self, layer: Layer) -> str | None:
        """ "conv1" for tensors named "conv1.weight" and "conv1.bias"."""
        paths = set()
        for attribute, value in layer.tensors.items():
            name = self.writer.graph.value(value).name
            paths.add(name.removesuffix(f".{attribute}") if name.endswith(f".{attribute}") else None)
        return clean_path(path) if len(paths) == 1 and (path := paths.pop()) else None

    def _fill(self, module: torch.nn.Module, layer: Layer, path: str) -> None:
        for attribute, value in layer.tensors.items():
            tensor = self.writer.tensor(value)
            assert getattr(module, attribute).shape == tensor.shape, (path, attribute)
            trained = attribute in module._parameters
            setattr(module, attribute, torch.nn.Parameter(tensor) if trained else tensor)
            self.writer.homes[value] = f"{path}.{attribute}"
        for name, buffer in module.named_buffers():
            if buffer.is_meta:  # the count of batches that a norm has seen
                setattr(module, name, torch.zeros(buffer.shape, dtype=buffer.dtype))
