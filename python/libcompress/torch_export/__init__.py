"""From a model to a torch.nn.Module.

The result is a torch.fx.GraphModule: layers with parameters are proper modules (nn.Conv2d, nn.BatchNorm2d)
under the names that their parameters have, everything else is calls of torch's own functions. It needs
nothing of this package to run, to train, or to be loaded again.
"""

from libcompress.torch_export.exporter import convert, to_torch

__all__ = ["convert", "to_torch"]
