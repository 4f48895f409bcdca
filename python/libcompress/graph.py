"""The graph is the library's own."""

from libcompress._core import Graph

__all__ = ["Graph"]
