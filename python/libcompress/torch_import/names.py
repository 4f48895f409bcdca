"""Readable, unique names for nodes: the paths of the modules that they come from."""

from __future__ import annotations

import torch
from torch import fx

#: What torch.export puts where no module is known.
_NOWHERE = "_empty_nn_module_stack_from_metadata_hook"


def module_path(node: fx.Node) -> str:
    """Of the innermost module whose forward() made this call: "layer1.0.conv1", "" for the whole."""
    stack = node.meta.get("nn_module_stack") or {}
    path = list(stack.values())[-1][0] if stack else ""
    return "" if path == _NOWHERE else path.split("@")[0]


class Namer:
    """Names nodes so that a module that is one operator gives its path: "layer1.0.conv1", "layer1.0.add"."""

    def __init__(self, module: torch.nn.Module, calls: list[tuple[fx.Node, str]]):
        """`calls` are the nodes that will be named, each with its operator."""
        self._used: set[str] = set()
        self._own: set[str] = set()
        operators: dict[str, set[str]] = {}
        for node, operator in calls:
            operators.setdefault(module_path(node), set()).add(operator)
        modules = dict(module.named_modules())
        for path, names in operators.items():
            leaf = path in modules and not any(modules[path].children())
            if path and leaf and len(names) == 1:
                self._own.add(path)

    def base(self, node: fx.Node, operator: str) -> str:
        """The name that the last node of this call should get."""
        path = module_path(node)
        if path in self._own:
            return path
        return f"{path}.{operator}" if path else operator

    def unique(self, name: str) -> str:
        """`name`, numbered where it is taken."""
        count = 0
        found = name
        while found in self._used:
            count += 1
            found = f"{name}_{count}"
        self._used.add(found)
        return found
