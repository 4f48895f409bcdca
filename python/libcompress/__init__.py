"""Prune, prove and give back convolutional networks: the Python side of libcompress.

    import libcompress as lc
    model = lc.from_torch(module, example)     # or lc.load("network.onnx")
    pruned = model.prune(0.5)                  # half of every group's channels
    smaller = pruned.model.to_torch()          # trains on in PyTorch

Names mirror the C++ library; docs/glossary.md has the words.
"""

import torch  # noqa: F401  # first: the extension then uses the very LibTorch that this loads

from libcompress._core import (
    Error,
    ForeignNode,
    Graph,
    GroupPlan,
    NetworkCost,
    Node,
    NodeCost,
    PluginInfo,
    PruningPlan,
    Value,
    ValueKind,
    use_threads,
)
from libcompress.groups import Group, GroupMember
from libcompress.model import Model, list_file, load
from libcompress.operators import op_table
from libcompress.planning import PlanRequest, ScoringContext, WidthLimits
from libcompress.plugin import (
    Criterion,
    Option,
    Strategy,
    criteria,
    load_plugins,
    plugins,
    register,
    strategies,
)
from libcompress.pruning import PrunedModel
from libcompress.quantization import QuantizedModel, load_quantized
from libcompress.torch_import import from_torch, list_torch

__all__ = [
    "Criterion",
    "Error",
    "ForeignNode",
    "Graph",
    "Group",
    "GroupMember",
    "GroupPlan",
    "Model",
    "NetworkCost",
    "Node",
    "NodeCost",
    "Option",
    "PlanRequest",
    "PluginInfo",
    "PrunedModel",
    "PruningPlan",
    "QuantizedModel",
    "ScoringContext",
    "Strategy",
    "Value",
    "ValueKind",
    "WidthLimits",
    "criteria",
    "from_torch",
    "list_file",
    "list_torch",
    "load",
    "load_plugins",
    "load_quantized",
    "op_table",
    "plugins",
    "register",
    "strategies",
    "use_threads",
]
