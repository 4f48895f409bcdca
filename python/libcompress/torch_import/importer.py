"""The way from a module to a model."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import fx

from libcompress import _core
from libcompress.errors import error
from libcompress.model import Model
from libcompress.torch_import import constants
from libcompress.torch_import.call import Call, Draft, Operand, Unsupported
from libcompress.torch_import.extents import Extent, sizes
from libcompress.torch_import.names import Namer, module_path
from libcompress.torch_import.operators import TABLE, is_known, operator_name
from libcompress.torch_import.trace import Example, Step, Stored, Trace, trace_any_batch, trace_fixed_batch


def from_torch(
    module: torch.nn.Module,
    example_inputs: torch.Tensor | tuple,
    kwargs: dict[str, Any] | None = None,
    *,
    batch: str = "any",
    name: str | None = None,
) -> Model:
    """The model that `module` computes in eval mode.

    `example_inputs` (and `kwargs`) are what forward() takes; axis 0 of every tensor is the batch. Only their
    shapes matter. With `batch="any"` the model runs with every batch: the module is traced at more than one
    example, the given ones repeated. With "fixed" it is traced as given and runs with that batch alone.

    Names are the module's: parameters as in its state dict, nodes by the path of the module they come from.
    An Error of kind input names every operator that has no form in the graph.
    """
    with _importing(module, example_inputs, kwargs, batch) as importer:
        return importer.model(name or type(module).__name__)


def list_torch(
    module: torch.nn.Module,
    example_inputs: torch.Tensor | tuple,
    kwargs: dict[str, Any] | None = None,
    *,
    batch: str = "any",
) -> list[_core.ForeignNode]:
    """Every operator of a module as from_torch() meets it, supported or not."""
    with _importing(module, example_inputs, kwargs, batch) as importer:
        return importer.listing()


def supported_operators() -> list[str]:
    """Names of the ATen operators that have a form in the graph."""
    return sorted(f"aten.{each}" for each in TABLE)


@contextlib.contextmanager
def _importing(module: torch.nn.Module, inputs, kwargs: dict | None, batch: str) -> Iterator[_Importer]:
    if batch not in ("any", "fixed"):
        raise error("usage", "from_torch, batch", repr(batch), "'any' or 'fixed'")
    example = Example.of(inputs, kwargs)
    with _evaluating(module):
        yield _Importer((trace_any_batch if batch == "any" else trace_fixed_batch)(module, example))


@contextlib.contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """In eval mode for a while."""
    trained = [each for each in module.modules() if each.training]
    module.eval()
    try:
        yield
    finally:
        for each in trained:
            each.training = True


class _Missing:
    """What an unsupported operator would have made: its readers are left out too."""


class _Importer:
    """Turns the steps of a trace into nodes, one after the other."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self.modules = dict(trace.module.named_modules())
        self.extents: dict[fx.Node, Any] = {step.node: step.extents for step in trace.steps} | trace.inputs
        self.operands: dict[fx.Node, Operand | list | _Missing] = {}
        self.nodes: list[_core.ForeignNode] = []  # all operators so far
        self.shared: dict[tuple, int] = {}  # values of parameters by their memory
        self.first_names = {_memory(each): name for name, each in trace.module.named_parameters()}
        named = [(s.node, operator_name(s.node)) for s in trace.steps if constants.is_operator(s.node)]
        self.draft = Draft(Namer(trace.module, named))

    def model(self, name: str) -> Model:
        if not all(node.supported for node in self.listing()):
            raise self._complaint()
        self.draft.graph.set_outputs([self._output(node) for node in self.trace.outputs])
        core = _core.Model(name, self.draft.graph, self.draft.weights, {"source": "torch.export"})
        return Model.of(_core.canonicalize(core))

    def listing(self) -> list[_core.ForeignNode]:
        """Takes all steps, which also makes the graph as far as they are supported."""
        for node, extents in self.trace.inputs.items():
            self.operands[node] = self.draft.graph.add_input(
                self.draft.namer.unique(node.name), sizes(extents)
            )
        for node, stored in self.trace.tensors.items():
            self.extents[node] = tuple(map(Extent, stored.tensor.shape))
            if not stored.trained:
                self.operands[node] = constants.Named(stored.name, stored.tensor)
        for step in self.trace.steps:
            self._add(step)
        return self.nodes

    # ---- operands

    def _operand(self, node: fx.Node) -> Any:
        if node not in self.operands and node in self.trace.tensors:
            self.operands[node] = self._parameter(self.trace.tensors[node])
        found = self.operands.get(node, _Missing())
        if isinstance(found, _Missing):
            raise _Skip
        return found

    def _parameter(self, stored: Stored) -> int:
        """Tied parameters are one value, named as the first of them."""
        memory = _memory(stored.tensor)
        if memory not in self.shared:
            name = self.first_names.get(memory, stored.name)
            self.shared[memory] = self.draft.add_tensor(name, stored.tensor, trained=True)
        return self.shared[memory]

    def _value_or_tensor(self, node: fx.Node) -> Operand:
        """A named buffer becomes a value of that name only where the graph reads it as it is."""
        found = self._operand(node)
        if not isinstance(found, constants.Named):
            return found
        if not found.tensor.is_floating_point():
            return found.tensor
        self.operands[node] = found = self.draft.add_tensor(found.name, found.tensor)
        return found

    # ---- steps

    def _add(self, step: Step) -> None:
        node, known, reason = step.node, True, ""
        try:
            if node.target is operator.getitem:
                self.operands[node] = self._operand(node.args[0])[node.args[1]]
            elif not constants.is_operator(node):
                return  # a number, or an assertion
            elif constants.folds(step, self._peek):
                self.operands[node] = constants.Named(node.name, constants.fold(step, self._peek))
                return
            else:
                self.operands[node] = self._convert(step)
        except _Skip:
            self.operands[node], known = _Missing(), is_known(node)
        except (Unsupported, _core.Error) as why:
            self.operands[node], known, reason = _Missing(), False, str(why)
        if node.target is not operator.getitem:
            path = module_path(node) or "the module itself"
            self.nodes.append(_core.ForeignNode(path, f"aten.{operator_name(node)}", known, reason))

    def _peek(self, node: fx.Node) -> torch.Tensor | None:
        """The tensor behind a node if it is constant."""
        found = self.operands.get(node)
        return found.tensor if isinstance(found, constants.Named) else None

    def _convert(self, step: Step) -> Any:
        node = step.node
        if not is_known(node):
            raise Unsupported("")
        _check_types(node)
        call = Call(
            draft=self.draft,
            operator=operator_name(node),
            name=self.draft.namer.base(node, operator_name(node)),
            arguments=step.arguments,
            operand_of=self._value_or_tensor,
            tensor_of=self._peek,
            extents_of=self.extents.__getitem__,
            out=step.extents,
            used=_used_outputs(node),
            module=self.modules.get(module_path(node)),
        )
        return TABLE[operator_name(node)](call)

    def _output(self, node: fx.Node) -> int:
        """An output is an activation: what is only handed on goes through a node."""
        operand = self._value_or_tensor(node)
        if isinstance(operand, torch.Tensor):
            operand = self.draft.add_tensor(node.name, operand)
        if self.draft.graph.value(operand).producer is not None:
            return operand
        return self.draft.graph.add_node("identity", self.draft.namer.unique("output"), [operand])

    def _complaint(self) -> Exception:
        missing = [node for node in self.nodes if not node.supported]
        lines = [f"{n.op} in '{n.name}'" + (f": {n.reason}" if n.reason else "") for n in missing]
        return error(
            "input",
            f"module {type(self.trace.module).__name__}",
            f"{len(missing)} unsupported of {len(self.nodes)} operators: " + "; ".join(dict.fromkeys(lines)),
            ", ".join(supported_operators()),
            "list_torch() lists them all",
        )


class _Skip(Exception):
    """An operand is missing, for a reason that is on the list already."""


def _memory(tensor: torch.Tensor) -> tuple:
    """Equal for tensors that are the same elements."""
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def _used_outputs(node: fx.Node) -> set[int]:
    """Which of several outputs anyone reads."""
    return {user.args[1] for user in node.users if user.target is operator.getitem and user.users}


def _check_types(node: fx.Node) -> None:
    values = node.meta.get("val")
    values = values if isinstance(values, list | tuple) else [values]
    used = _used_outputs(node) or {0}
    for index, value in enumerate(values):
        if index in used and isinstance(value, torch.Tensor) and value.dtype != torch.float32:
            raise Unsupported(f"its result is {value.dtype}; networks are float32")
