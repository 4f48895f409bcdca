"""A model: a graph with its weights, and what can be done with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from libcompress import _core
from libcompress.groups import Groups


class Model:
    """A graph with its weights.

    `weights` maps the names of parameters and buffers to arrays that must fit the graph. A model does not
    change: what prunes it makes another.
    """

    def __init__(
        self,
        graph: _core.Graph,
        weights: Mapping[str, np.ndarray],
        name: str = "model",
        metadata: Mapping[str, str] | None = None,
    ):
        self.core = _core.Model(name, graph, dict(weights), dict(metadata or {}))

    @classmethod
    def of(cls, core: _core.Model) -> Model:
        """Around a model of the extension module."""
        model = cls.__new__(cls)
        model.core = core
        return model

    @property
    def name(self) -> str:
        return self.core.name

    @property
    def graph(self) -> _core.Graph:
        return self.core.graph

    @property
    def metadata(self) -> dict[str, str]:
        return self.core.metadata

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Read-only views, by name of parameter or buffer."""
        return self.core.weights

    @property
    def inputs(self) -> list[_core.Value]:
        return [self.graph.value(each) for each in self.graph.inputs]

    @property
    def outputs(self) -> list[_core.Value]:
        return [self.graph.value(each) for each in self.graph.outputs]

    @property
    def fixed_batch_reason(self) -> str:
        """Why it runs only with the batch that its inputs declare; empty where any will do."""
        return _core.fixed_batch_reason(self.graph)

    def with_weights(self, weights: Mapping[str, np.ndarray]) -> Model:
        """The same graph with other values for the weights that are named."""
        return Model(self.graph, {**self.weights, **weights}, self.name, self.metadata)

    def to_text(self) -> str:
        """One line a node."""
        return self.graph.to_text()

    def __repr__(self) -> str:
        costs = self.costs()
        return (
            f"<Model {self.name}: {len(self.graph.nodes)} nodes, {costs.params:,} parameters, "
            f"{costs.macs:,} multiply-accumulates>"
        )

    def save(self, path: str | os.PathLike) -> None:
        """As the ending says: .onnx, or .safetensors with the graph in it."""
        _core.write_model(path, self.core)

    def run(self, *inputs: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
        """The outputs for inputs [batch, ...]: one array, or a tuple where there are several outputs."""
        outputs = _core.run(self.core, list(map(np.asarray, inputs)))
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def costs(self) -> _core.NetworkCost:
        """Parameters, multiply-accumulates, flash and peak RAM of one example."""
        return _core.cost_of(self.graph)

    def groups(self, ignore: Sequence[str] = (), spatial: Sequence[str] = ()) -> Groups:
        """Which axes shrink together, and why some may not.

        `ignore` and `spatial` are patterns (*, ?) of node names: those that keep their width, and those whose
        channels may go though they become height or width.
        """
        return Groups(self.graph, _core.find_groups(self.graph, list(ignore), list(spatial)))

    def prune(self, amount=0.5, **options):
        """A smaller model; see `libcompress.pruning.prune`."""
        from libcompress.pruning import prune

        return prune(self, amount, **options)

    def apply(self, plan, **options):
        """The smaller model of a plan; see `libcompress.pruning.apply`."""
        from libcompress.pruning import apply

        return apply(self, plan, **options)

    def quantize(self, inputs, **options):
        """The int8 network, calibrated on examples; see `libcompress.quantization.quantize`."""
        from libcompress.quantization import quantize

        return quantize(self, inputs, **options)

    def masked_twin(self, plan: _core.PruningPlan, groups: Groups | None = None) -> Model:
        """This model with zeros where `plan` would remove: its output is that of the pruned model."""
        groups = groups or self.groups()
        return Model.of(_core.masked_twin(self.core, groups.core, plan))

    def to_torch(self):
        """A torch.nn.Module that computes the same, trains on, and needs nothing of this package."""
        from libcompress.torch_export import to_torch

        return to_torch(self)


def load(path: str | os.PathLike, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """A model from a file: safetensors that `save` wrote, ONNX, or TensorFlow Lite.

    `shapes` are those of inputs, by name, for files that leave extents open.
    """
    return Model.of(_core.load_model(path, _lists(shapes)))


def list_file(
    path: str | os.PathLike, shapes: Mapping[str, Sequence[int]] | None = None
) -> list[_core.ForeignNode]:
    """Every operator of a file of another framework, supported or not."""
    return _core.list_foreign(path, _lists(shapes))


def _lists(shapes: Mapping[str, Sequence[int]] | None) -> dict[str, list[int]]:
    return {name: list(shape) for name, shape in (shapes or {}).items()}
