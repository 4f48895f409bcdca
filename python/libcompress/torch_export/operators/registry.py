"""The table of the graph's operators: one function each."""

from __future__ import annotations

from collections.abc import Callable

from libcompress.torch_export.emitter import Emitter, Operand

#: Adds the calls of one node and returns what stands for its output.
Emit = Callable[[Emitter], Operand]

TABLE: dict[str, Emit] = {}


def emits(*names: str) -> Callable[[Emit], Emit]:
    """Registers a function for the operators `names`."""

    def add(emit: Emit) -> Emit:
        for name in names:
            assert name not in TABLE, name
            TABLE[name] = emit
        return emit

    return add
