"""The criterion of peak.cpp in Python."""

import numpy as np

import libcompress as lc


class Peak(lc.Criterion):
    """the largest absolute weight of every coupled slice"""

    options = (
        lc.Option(
            "dimensions",
            "integer",
            "axes that a weight has at least to count: 2 leaves out biases and norms",
            2,
            minimum=1,
            maximum=8,
        ),
    )

    def __init__(self, dimensions: int = 2):
        self.dimensions = dimensions

    def score(self, group: lc.Group, model: lc.Model) -> np.ndarray:
        scores = np.zeros(group.size)
        weights = model.weights
        for member in group.members:
            value = model.graph.value(model.graph.find_value(member.tensor))
            if value.kind != lc.ValueKind.parameter or len(value.shape) < self.dimensions:
                continue
            slices = np.moveaxis(np.abs(weights[member.tensor]), member.axis, 0)
            peaks = slices.reshape(len(slices), -1).max(axis=1)
            for i, indices in enumerate(member.indices):
                scores[i] = max([scores[i], *peaks[indices]])
        return scores


lc.register("peak_in_python", Peak)
