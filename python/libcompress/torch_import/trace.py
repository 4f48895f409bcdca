"""torch.export of a module, told for a batch of 1.

Two ways lead there. With a symbolic batch, every size is an expression of it, which one trace gives. Where a
module does not allow that (it computes with the batch as a plain number), it is traced at two batches, and
what differs between both traces depends on the batch.
"""

from __future__ import annotations

import contextlib
import inspect
import operator
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx
from torch.export.graph_signature import OutputKind
from torch.utils import _pytree as pytree

from libcompress.errors import error
from libcompress.torch_import.extents import BatchInt, Extent
from libcompress.torch_import.operators import is_known, operator_name

Extents = tuple[Extent, ...]
Program = torch.export.ExportedProgram

_CONVOLUTIONS = (f"conv{transposed}{spatial}d" for transposed in ("", "_transpose") for spatial in (1, 2, 3))
_NORMS = ("batch_norm", "group_norm", "layer_norm", "instance_norm")
#: Operators whose result is never a view of something else.
FRESH = frozenset((*_CONVOLUTIONS, *_NORMS, "linear", "add", "sub", "mul", "div", "cat", "relu"))


@dataclass
class Step:
    """One call of an ATen operator (or of getitem) in the trace."""

    node: fx.Node
    arguments: dict[str, Any]  #: by the schema's names; sizes that depend on the batch are BatchInt
    extents: Any  #: of the output: Extents, a list of them where there are several outputs, None for a number


@dataclass(frozen=True)
class Stored:
    """A parameter, a buffer or a constant of the module."""

    name: str  #: in the state dict
    tensor: torch.Tensor
    trained: bool = False


@dataclass
class Trace:
    """A module as functional ATen operators."""

    module: torch.nn.Module
    inputs: dict[fx.Node, Extents] = field(default_factory=dict)
    tensors: dict[fx.Node, Stored] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    outputs: list[fx.Node] = field(default_factory=list)


@dataclass(frozen=True)
class Example:
    """What the module is called with while it is traced."""

    args: tuple
    kwargs: dict

    @classmethod
    def of(cls, inputs, kwargs: dict | None) -> Example:
        args = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        example = cls(args, dict(kwargs or {}))
        if not example.tensors():
            raise error("usage", "example_inputs", "no tensor", "a tensor or a tuple of what forward() takes")
        for tensor in example.tensors():
            if tensor.dim() == 0:
                raise error("usage", "example_inputs", "a scalar", "tensors with the batch as axis 0")
            if not tensor.is_floating_point():
                raise error("input", "example_inputs", f"a tensor of {tensor.dtype}", "float32 inputs")
        return example

    def tensors(self) -> list[torch.Tensor]:
        return [
            leaf for leaf in pytree.tree_leaves((self.args, self.kwargs)) if isinstance(leaf, torch.Tensor)
        ]

    def with_batch(self, batch: int) -> Example:
        """The same shapes with another batch."""

        def repeat(leaf):
            if not isinstance(leaf, torch.Tensor):
                return leaf
            times = -(-batch // leaf.shape[0])
            return leaf.detach().repeat(times, *[1] * (leaf.dim() - 1))[:batch].clone()

        args, kwargs = pytree.tree_map(repeat, (self.args, self.kwargs))
        return Example(args, kwargs)

    def dynamic_shapes(self) -> Any:
        def batch_of(leaf):
            return {0: torch.export.Dim.AUTO} if isinstance(leaf, torch.Tensor) else None

        return tuple(pytree.tree_map(batch_of, each) for each in self.args), {
            key: pytree.tree_map(batch_of, each) for key, each in self.kwargs.items()
        }


def trace_any_batch(module: torch.nn.Module, example: Example) -> Trace:
    """With sizes that follow the batch."""
    try:
        program = _export(module, example.with_batch(2), symbolic=True)
        reader: _Reader = _SymbolicReader(program)
        if reader.is_symbolic():
            return _read(module, program, reader)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # whatever torch.export stumbles over, two plain traces may not
        pass
    first = _export(module, example.with_batch(2))
    second = _export(module, example.with_batch(3))
    return _read(module, first, _PairReader(first, second))


def trace_fixed_batch(module: torch.nn.Module, example: Example) -> Trace:
    """With the example's own batch and no other."""
    program = _export(module, example)
    return _read(module, program, _Reader(program))


def _export(module: torch.nn.Module, example: Example, symbolic: bool = False) -> Program:
    shapes = None
    if symbolic:
        args, kwargs = example.dynamic_shapes()
        shapes = {**_named(module, args), **kwargs} if kwargs else args
    try:
        with _quiet():
            program = torch.export.export(
                module, example.args, example.kwargs or None, dynamic_shapes=shapes, strict=False
            )
            return _functional(program)
    except Exception as cause:
        raise error(
            "input",
            f"module {type(module).__name__}",
            f"torch.export cannot trace it: {str(cause).strip().splitlines()[0] if str(cause) else cause!r}",
            "a forward() whose operators do not depend on the values of its inputs",
        ) from cause


def _named(module: torch.nn.Module, args: tuple) -> dict:
    names = list(inspect.signature(module.forward).parameters)
    return dict(zip(names, args, strict=False))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without torch.export's warnings, and with attention as its parts rather than as one fused operator."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _functional(program: Program) -> Program:
    """Without writes in place, and with every operator that the importer does not know taken apart.

    Torch's own way traces the whole module again, so it is gone only where something needs it.
    """
    if all(map(_is_plain, program.graph.nodes)):
        program.graph.eliminate_dead_code()
        return program
    asked: dict = {}
    unknown = _parts_of_unknown(program)
    while True:
        asked |= unknown
        program = program.run_decompositions(asked)
        unknown = {
            target: parts for target, parts in _parts_of_unknown(program).items() if target not in asked
        }
        if not unknown:
            return program


def _parts_of_unknown(program: Program) -> dict:
    """By operator that the importer does not know: torch's decomposition, where it has one."""
    parts = torch.export.default_decompositions()
    return {
        node.target: parts[node.target]
        for node in program.graph.nodes
        if node.op == "call_function" and isinstance(node.target, torch._ops.OpOverload)
        if not is_known(node) and node.target in parts
    }


def _is_plain(node: fx.Node) -> bool:
    """Whether the importer can take the call as it is."""
    if node.op in ("placeholder", "output"):
        return True
    if node.op != "call_function":
        return False
    if node.target is operator.getitem or not isinstance(node.meta.get("val"), torch.Tensor | tuple | list):
        return True  # a part of something, or a number
    if not isinstance(node.target, torch._ops.OpOverload) or not is_known(node):
        return False
    return not node.target._schema.is_mutable or _writes_unseen(node)


def _writes_unseen(node: fx.Node) -> bool:
    """Whether a write in place changes a tensor that nobody else reads: then it is as good as a new one."""
    written = node.args[0]
    if written.op != "call_function" or list(written.users) != [node]:
        return False
    if written.target is operator.getitem or not isinstance(written.target, torch._ops.OpOverload):
        return False
    in_place = written.target._schema.is_mutable
    return _writes_unseen(written) if in_place else operator_name(written) in FRESH


class _Reader:
    """Numbers and sizes of a trace as they are."""

    def __init__(self, program: Program):
        self.program = program

    def argument(self, node: fx.Node, value: Any) -> Any:
        """`value` of `node` with its numbers told for a batch of 1; nodes that are tensors stay nodes."""
        return pytree.tree_map(self._number, value, is_leaf=lambda leaf: isinstance(leaf, fx.Node))

    def extents(self, node: fx.Node) -> Any:
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor):
            return self._shape(value)
        if isinstance(value, list | tuple):
            return [self._shape(each) if isinstance(each, torch.Tensor) else None for each in value]
        return None

    def _shape(self, value: torch.Tensor) -> Extents:
        return tuple(map(_plain_extent, value.shape))

    def _number(self, value: Any) -> Any:
        if isinstance(value, fx.Node) and isinstance(value.meta.get("val"), int | float | bool):
            return value.meta["val"]
        return value


class _SymbolicReader(_Reader):
    """Sizes are expressions of the batch."""

    def is_symbolic(self) -> bool:
        """Whether the batch stayed open: torch.export fixes it where the module computes with it."""
        names = set(self.program.graph_signature.user_inputs)
        shapes = [
            node.meta["val"].shape
            for node in self.program.graph.nodes
            if node.op == "placeholder" and node.name in names and isinstance(node.meta["val"], torch.Tensor)
        ]
        return all(isinstance(shape[0], torch.SymInt) for shape in shapes)

    def _shape(self, value: torch.Tensor) -> Extents:
        return tuple(_at_batch_of_one(size) for size in value.shape)

    def _number(self, value: Any) -> Any:
        if isinstance(value, fx.Node) and isinstance(value.meta.get("val"), torch.SymInt | int):
            value = value.meta["val"]
        if isinstance(value, torch.SymInt):
            extent = _at_batch_of_one(value)
            return BatchInt(extent.size) if extent.batched else extent.size
        return super()._number(value)


def _plain_extent(size: int | torch.SymInt) -> Extent:
    if isinstance(size, torch.SymInt):
        raise _data_dependent()
    return Extent(size)


def _data_dependent() -> Exception:
    return error("input", "module", "a size that depends on the values of a tensor", "sizes that are known")


def _at_batch_of_one(size: int | torch.SymInt) -> Extent:
    if not isinstance(size, torch.SymInt):
        return Extent(int(size))
    expression = size.node.expr
    symbols = expression.free_symbols
    if any(str(symbol).startswith("u") for symbol in symbols):
        raise _data_dependent()
    return Extent(int(expression.subs({symbol: 1 for symbol in symbols})), bool(symbols))


class _PairReader(_Reader):
    """What differs between a trace at a batch of 2 and one at 3 is a multiple of the batch."""

    def __init__(self, two: Program, three: Program):
        super().__init__(two)
        pairs = list(zip(two.graph.nodes, three.graph.nodes, strict=False))
        same = len(two.graph.nodes) == len(three.graph.nodes) and all(a.target == b.target for a, b in pairs)
        if not same:
            raise error(
                "input",
                "module",
                "its operators depend on the batch",
                "the same operators at every batch",
                "import it for one batch: batch='fixed'",
            )
        self._other = dict(pairs)

    def argument(self, node: fx.Node, value: Any) -> Any:
        other = self._other[node]
        if value is node.args:
            return _merged(value, other.args)
        for key, each in node.kwargs.items():
            if value is each:
                return _merged(value, other.kwargs[key])
        return value

    def extents(self, node: fx.Node) -> Any:
        two, three = super().extents(node), super().extents(self._other[node])
        return _merged_extents(two, three)


def _merged(two: Any, three: Any) -> Any:
    if isinstance(two, list | tuple):
        return type(two)(_merged(a, b) for a, b in zip(two, three, strict=True))
    if isinstance(two, int) and not isinstance(two, bool) and two != three:
        return BatchInt(_share(two, three))
    return two


def _merged_extents(two: Any, three: Any) -> Any:
    if two is None:
        return None
    if isinstance(two, list):
        return [_merged_extents(a, b) for a, b in zip(two, three, strict=True)]
    return tuple(
        a if a == b else Extent(_share(a.size, b.size), True) for a, b in zip(two, three, strict=True)
    )


def _share(at_two: int, at_three: int) -> int:
    """What one example contributes."""
    if at_two * 3 != at_three * 2:
        raise error(
            "input",
            "module",
            f"a size of {at_two} at a batch of 2 and {at_three} at 3",
            "sizes that are multiples of the batch",
            "import it for one batch: batch='fixed'",
        )
    return at_two // 2


def _read(module: torch.nn.Module, program: Program, reader: _Reader) -> Trace:
    trace = Trace(module)
    tensors = _stored_tensors(program)
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if node.name in tensors:
                trace.tensors[node] = tensors[node.name]
            elif isinstance(node.meta.get("val"), torch.Tensor):
                trace.inputs[node] = reader.extents(node)
        elif node.op == "call_function":
            trace.steps.append(Step(node, _arguments(node, reader), reader.extents(node)))
        elif node.op == "output":
            kinds = [each.kind for each in program.graph_signature.output_specs]
            trace.outputs = [
                each
                for each, kind in zip(node.args[0], kinds, strict=True)
                if kind == OutputKind.USER_OUTPUT and isinstance(each, fx.Node)
            ]
    return trace


def _arguments(node: fx.Node, reader: _Reader) -> dict[str, Any]:
    args = reader.argument(node, node.args)
    kwargs = {key: reader.argument(node, value) for key, value in node.kwargs.items()}
    if not isinstance(node.target, torch._ops.OpOverload):
        return {**dict(enumerate(args)), **kwargs}
    rows = node.target._schema.arguments
    values = {row.name: row.default_value for row in rows if row.has_default_value()}
    values |= {row.name: value for row, value in zip(rows, args, strict=False)}
    return values | kwargs


def _stored_tensors(program: Program) -> dict[str, Stored]:
    """Parameters, buffers and constants by the name of their placeholder."""
    signature = program.graph_signature
    tensors = {**program.constants, **program.state_dict}
    stored = {name: Stored(t, tensors[t], True) for name, t in signature.inputs_to_parameters.items()}
    for held in (signature.inputs_to_buffers, signature.inputs_to_lifted_tensor_constants):
        stored |= {name: Stored(target, tensors[target]) for name, target in held.items()}
    return stored
