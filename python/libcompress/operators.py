"""The op table, for people."""

from __future__ import annotations

from libcompress import _core


def op_table() -> dict[str, _core.Operator]:
    """Every operator by name, with its summary, operands and attributes, and how it is pruned."""
    return {operator.name: operator for operator in _core.operators()}
