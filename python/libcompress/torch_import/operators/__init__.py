"""How each ATen operator becomes nodes of the graph, one file a family."""

from libcompress.torch_import.operators import (  # noqa: F401  # each fills the table
    activation,
    arithmetic,
    attention,
    convolution,
    movement,
    normalization,
    pooling,
    reduction,
    resize,
)
from libcompress.torch_import.operators.registry import TABLE, is_known, operator_name

__all__ = ["TABLE", "is_known", "operator_name"]
