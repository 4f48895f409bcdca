"""From a model and an amount to a smaller model: groups, scores, plan, surgery."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libcompress import _core
from libcompress.errors import error
from libcompress.groups import Groups
from libcompress.model import Model
from libcompress.planning import RESOURCES, PlanRequest, ScoringContext, WidthLimits
from libcompress.plugin import Criterion, Planner, Scorer, Strategy


@dataclass(frozen=True)
class PrunedModel:
    """What pruning gives: the smaller model, and everything to check it by."""

    model: Model
    plan: _core.PruningPlan
    groups: Groups  #: of the unpruned model
    costs_before: _core.NetworkCost
    costs_after: _core.NetworkCost
    original: Model

    def masked_twin(self) -> Model:
        """The unpruned model with zeros where something was removed: it has the pruned model's output."""
        return self.original.masked_twin(self.plan, self.groups)

    def __repr__(self) -> str:
        before, after = self.costs_before, self.costs_after
        return (
            f"<PrunedModel {self.model.name}: {before.params:,} -> {after.params:,} parameters, "
            f"{before.macs:,} -> {after.macs:,} multiply-accumulates>"
        )


def prune(
    model: Model,
    amount: float | Mapping[str, float | int] = 0.5,
    *,
    criterion: str | Criterion | None = None,
    criterion_options: Mapping[str, object] | None = None,
    strategy: str | Strategy = "global",
    strategy_options: Mapping[str, object] | None = None,
    ignore: Sequence[str] = (),
    spatial: Sequence[str] = (),
    data: Iterable | None = None,
    loss: Callable | None = None,
    round_to: int = 1,
    min_channels: int = 1,
    ratios: Mapping[str, float] | None = None,
    tolerance: float = 0.005,
    seed: int = 0,
) -> PrunedModel:
    """Removes the channels that matter least.

    `amount` is the fraction to remove of every group that may be pruned, or a budget: a dict with any of
    params, macs, flash_bytes and peak_ram_bytes, each a fraction of the unpruned network to keep (a float
    up to 1) or a count (an int), which `strategy` spends over all groups.

    A criterion that ranks by gradients (taylor) needs `data`, batches (inputs, targets) as tensors or arrays,
    and takes `loss(outputs, targets)`, by default the cross-entropy. `ignore` and `spatial` are patterns of
    node names as in `Model.groups`.

    `criterion` and `strategy` are names (`lc.criteria()`, `lc.strategies()`), with their options beside them,
    or objects of subclasses of `lc.Criterion` and `lc.Strategy`. Without a criterion, channels are ranked by
    taylor where there is data, else by magnitude.

    `ratios` fixes what groups keep of their width, by a pattern of their names, whatever the strategy says.
    A budget that is not reached within `tolerance` is an error that says what can be reached.
    """
    scorer = Scorer(criterion or ("magnitude" if data is None else "taylor"), criterion_options)
    planner = Planner(strategy, strategy_options)
    groups = model.groups(ignore, spatial)
    context = ScoringContext(seed, _gradients(model, scorer, data, loss))
    scores = scorer.score_all(groups, model, context)
    limits = WidthLimits(round_to, min_channels, ratios or {})
    if isinstance(amount, Mapping):
        budget = _bounds(amount, model.costs())
        plan = planner.plan(PlanRequest(model, groups, scores, budget, tolerance, limits))
    elif isinstance(strategy, Strategy):
        raise error(
            "usage", f"strategy '{planner.name}'", "no budget", "a dict as amount, such as {'params': 0.5}"
        )
    else:
        plan = _core.plan_fraction(model.core, groups.core, scores, float(amount), limits.core)
    return _carried_out(model, groups, plan)


def apply(
    model: Model,
    plan: _core.PruningPlan | str | os.PathLike,
    *,
    ignore: Sequence[str] = (),
    spatial: Sequence[str] = (),
) -> PrunedModel:
    """Carries out a plan: one of `prune` or `PruningPlan.from_json`, or the path of its JSON file.

    It must have been made for the same graph. `spatial` names nodes whose channels become rows, as when the
    plan was made.
    """
    if not isinstance(plan, _core.PruningPlan):
        plan = _core.PruningPlan.from_json(Path(plan).read_text(), os.fspath(plan))
    return _carried_out(model, model.groups(ignore, spatial), plan)


def _carried_out(model: Model, groups: Groups, plan: _core.PruningPlan) -> PrunedModel:
    smaller = Model.of(_core.prune(model.core, groups.core, plan))
    return PrunedModel(smaller, plan, groups, model.costs(), smaller.costs(), model)


def _gradients(model: Model, scorer: Scorer, data, loss):
    if not scorer.needs_gradients:
        return None
    if data is None:
        raise error(
            "usage",
            f"criterion '{scorer.name}'",
            "no data",
            "data=batches of (inputs, targets)",
            "or rank without gradients: criterion='magnitude'",
        )
    from libcompress.gradients import batch_gradients

    return batch_gradients(model, data, loss)


def _bounds(amount: Mapping[str, float | int], costs: _core.NetworkCost) -> dict[str, int]:
    bounds = {}
    for name, limit in amount.items():
        if name not in RESOURCES:
            raise error("usage", f"budget '{name}'", "no such resource", ", ".join(RESOURCES))
        whole = getattr(costs, name)
        bounds[name] = int(limit * whole) if isinstance(limit, float) and limit <= 1 else int(limit)
    return bounds
