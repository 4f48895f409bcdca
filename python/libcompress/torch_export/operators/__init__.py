"""How each operator of the graph is written in PyTorch, one file a family."""

from libcompress.torch_export.operators import (  # noqa: F401  # each fills the table
    convolution,
    elementwise,
    movement,
    normalization,
    pooling,
    reduction,
    resize,
)
from libcompress.torch_export.operators.registry import TABLE

__all__ = ["TABLE"]
