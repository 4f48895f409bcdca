"""The way from a model to a module."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import fx

from libcompress.model import Model
from libcompress.torch_export.emitter import Emitter, Writer
from libcompress.torch_export.operators import TABLE
from libcompress.torch_export.paths import identifier


def to_torch(model: Model) -> torch.nn.Module:
    """A torch.fx.GraphModule in training mode that computes what the model does, with any batch."""
    return convert(model)[0]


@dataclass(frozen=True)
class Written:
    """A module, and what became of what in the model."""

    module: fx.GraphModule
    names: dict[str, str]  #: by name of a parameter or buffer of the module: the model's
    operands: dict[int, fx.Node]  #: by id of a value: the node that gives it
    owners: dict[fx.Node, int]  #: of each node that computes: the id of the model's node


def convert(model: Model) -> tuple[fx.GraphModule, dict[str, str]]:
    """The module, and by the name of each of its parameters and buffers the model's."""
    written = write(model)
    return written.module, written.names


def write(model: Model) -> Written:
    """The module, in training mode."""
    graph = model.graph
    writer = Writer(graph, model.weights)
    owners: dict[fx.Node, int] = {}
    for each in graph.inputs:
        writer.operands[each] = writer.code.placeholder(identifier(graph.value(each).name))
    for each in graph.topological_order():
        node = graph.node(each)
        made = writer.operands[node.output] = TABLE[node.op](Emitter(writer, node))
        _own(made, each, owners)
        if all(value in writer.batchless for value in node.inputs):
            writer.batchless.add(node.output)
    outputs = [writer.operand(each) for each in graph.outputs]
    writer.code.output(outputs[0] if len(outputs) == 1 else tuple(outputs))
    writer.code.lint()
    module = fx.GraphModule(writer.paths.root, writer.code, _class_name(model.name))
    names = {path: graph.value(value).name for value, path in writer.homes.items()}
    return Written(module.train(), names, writer.operands, owners)


def _own(made: fx.Node, node: int, owners: dict[fx.Node, int]) -> None:
    """All that was written since the node before belongs to this one."""
    while made not in owners and made.op not in ("placeholder", "get_attr", "root"):
        owners[made] = node
        made = made.prev


def _class_name(name: str) -> str:
    plain = re.sub(r"\W", "_", name)
    return plain if plain.isidentifier() else "Network"
