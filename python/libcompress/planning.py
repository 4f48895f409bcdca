"""What criteria and strategies are handed: the context of a score, the request for a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from libcompress import _core
from libcompress.errors import error
from libcompress.groups import Groups
from libcompress.model import Model

RESOURCES = {
    "params": _core.Resource.params,
    "macs": _core.Resource.macs,
    "flash_bytes": _core.Resource.flash_bytes,
    "peak_ram_bytes": _core.Resource.peak_ram_bytes,
}


@dataclass(frozen=True)
class ScoringContext:
    """What a criterion may look at beside the model."""

    seed: int = 0
    #: For a criterion that `needs_gradients`: a dict of arrays by parameter for each batch of data.
    gradients: Iterable[Mapping[str, np.ndarray]] | None = None


@dataclass(frozen=True)
class WidthLimits:
    """How narrow a group may get."""

    round_to: int = 1
    min_channels: int = 1
    ratios: Mapping[str, float] = field(default_factory=dict)  #: by a pattern of names of groups

    @property
    def core(self) -> _core.WidthLimits:
        return _core.WidthLimits(self.round_to, self.min_channels, list(self.ratios.items()))


@dataclass(frozen=True)
class PlanRequest:
    """What a strategy decides on. `dataclasses.replace(request, scores=...)` asks with other scores."""

    model: Model
    groups: Groups
    scores: Sequence[Sequence[float]]  #: one a group, one number an index
    budget: Mapping[str, int]  #: at most so much of params, macs, flash_bytes, peak_ram_bytes
    tolerance: float = 0.005  #: how far below the tightest limit the result may stay, a fraction
    limits: WidthLimits = WidthLimits()

    def by(self, strategy: str = "global", **options) -> _core.PruningPlan:
        """What a strategy of the library would keep."""
        return _core.plan_within(
            self.model.core,
            self.groups.core,
            self.scores,
            self.core_budget,
            self.limits.core,
            strategy,
            options,
        )

    def keeping(self, kept: Mapping[str, Iterable[int]]) -> _core.PruningPlan:
        """A plan that keeps these indices of these groups, by name, and everything of the others."""
        plan = _core.full_plan(self.model.graph, self.groups.core)
        known = {each.group: each for each in plan.groups}
        for name, indices in kept.items():
            if name not in known:
                raise error("input", f"group '{name}'", "no group that may be pruned", ", ".join(known))
            known[name].kept = sorted(map(int, indices))
        return plan

    @property
    def core_budget(self) -> _core.Budget:
        return _core.Budget([(RESOURCES[name], limit) for name, limit in self.budget.items()], self.tolerance)
