"""From a torch.nn.Module to a model, through torch.export.

The module is traced in eval mode into functional ATen operators (`trace.py`); those that depend on nothing
but constants are computed on the spot; each of the others becomes nodes of the graph by one small function
(`operators/`). Sizes that depend on the batch are known as such (`extents.py`), so that the graph is stated
for a batch of 1 and runs with any.
"""

from libcompress.torch_import.importer import from_torch, list_torch, supported_operators

__all__ = ["from_torch", "list_torch", "supported_operators"]
