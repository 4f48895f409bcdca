"""Own criteria and strategies: as objects, by name, and from shared objects.

A subclass of `Criterion` or `Strategy` goes to `model.prune` as an object, or by name once it is registered.
What it raises is told with its name, and what it returns is checked.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from libcompress import _core
from libcompress.errors import error
from libcompress.groups import Group, Groups
from libcompress.model import Model
from libcompress.planning import PlanRequest, ScoringContext

Option = _core.Option


class Plugin(ABC):
    """What criteria and strategies share."""

    kind: ClassVar[str]
    #: What its constructor takes, each as a keyword; checked where the plugin is asked for by name.
    options: ClassVar[Sequence[Option]] = ()


class Criterion(Plugin):
    """Says how much each index of a group matters; higher matters more."""

    kind = "criterion"
    needs_gradients: bool = False

    @abstractmethod
    def score(self, group: Group, model: Model) -> Sequence[float]:
        """One finite number for each index of `group`, comparable within the group."""

    def score_all(self, groups: Groups, model: Model, context: ScoringContext) -> Sequence[Sequence[float]]:
        """The scores of every group, in order. Override it to look at all groups or at the gradients."""
        return [self.score(group, model) for group in groups]


class Strategy(Plugin):
    """Decides from scores and a budget what to keep."""

    kind = "strategy"

    @abstractmethod
    def plan(self, request: PlanRequest) -> _core.PruningPlan:
        """What to keep, within the budget: `request.by(...)` or `request.keeping(...)` make plans."""


_registered: dict[tuple[str, str], type[Plugin]] = {}


def register(name: str, plugin: type[Plugin]) -> type[Plugin]:
    """Makes a class known by name for the life of the process, and returns it."""
    if not (isinstance(plugin, type) and issubclass(plugin, Criterion | Strategy)):
        raise error("usage", f"plugin '{name}'", repr(plugin), "a subclass of Criterion or Strategy")
    what = f"{plugin.kind} '{name}'"
    taken = {each.name: each.origin for each in plugins(plugin.kind)}
    if name in taken and _registered.get((plugin.kind, name)) is not plugin:
        raise error("plugin", what, f"there is one: {taken[name]}", "a name of its own")
    _registered[plugin.kind, name] = plugin
    return plugin


def load_plugins(path: str | os.PathLike) -> None:
    """Adds the plugins of a shared object that was built against this library (docs/plugins.md)."""
    _core.load_plugin_file(path)


def plugins(kind: str | None = None) -> list[_core.PluginInfo]:
    """Every plugin, or those of a kind ("criterion"), with options and origin."""
    own = [
        _core.PluginInfo(
            each_kind, name, _summary(each), f"{each.__module__}.{each.__qualname__}", each.options
        )
        for (each_kind, name), each in _registered.items()
    ]
    return [each for each in _core.list_plugins() + own if kind in (None, each.kind)]


def criteria() -> list[str]:
    """Names of all criteria."""
    return sorted(each.name for each in plugins("criterion"))


def strategies() -> list[str]:
    """Names of all strategies."""
    return sorted(each.name for each in plugins("strategy"))


def _summary(plugin: type[Plugin]) -> str:
    return (plugin.__doc__ or "").strip().split("\n")[0]


# --- what model.prune calls ---


class Scorer:
    """A criterion of any origin, by name or as an object."""

    def __init__(self, criterion: str | Criterion, options: Mapping[str, object] | None):
        self._options = dict(options or {})
        self._own = _own(Criterion, criterion, self._options)
        self.name = criterion if isinstance(criterion, str) else type(criterion).__name__

    @property
    def needs_gradients(self) -> bool:
        if self._own:
            return self._own.needs_gradients
        return _core.needs_gradients(self.name, self._options)

    def score_all(self, groups: Groups, model: Model, context: ScoringContext) -> Sequence[Sequence[float]]:
        if not self._own:
            return _core.score_groups(
                model.core, groups.core, self.name, self._options, context.seed, context.gradients
            )
        what = f"criterion '{self.name}'"
        scores = _guarded(what, lambda: list(self._own.score_all(groups, model, context)))
        return _checked(what, scores, groups)


class Planner:
    """A strategy of any origin, by name or as an object."""

    def __init__(self, strategy: str | Strategy, options: Mapping[str, object] | None):
        self._options = dict(options or {})
        self._own = _own(Strategy, strategy, self._options)
        self.name = strategy if isinstance(strategy, str) else type(strategy).__name__

    def plan(self, request: PlanRequest) -> _core.PruningPlan:
        if not self._own:
            return request.by(self.name, **self._options)
        what = f"strategy '{self.name}'"
        plan = _guarded(what, lambda: self._own.plan(request))
        if not isinstance(plan, _core.PruningPlan):
            raise error("plugin", what, f"{plan!r}", "a PruningPlan")
        _core.check_plan(plan, request.model.core, request.groups.core, request.core_budget, what)
        return plan


def _own(kind: type[Plugin], given: str | Plugin, options: Mapping[str, object]) -> Plugin | None:
    """The object in Python, or None where it is the library's."""
    if isinstance(given, str):
        plugin = _registered.get((kind.kind, given))
        if not plugin:
            return None
        what = f"{kind.kind} '{given}'"
        values = _core.check_options(plugin.options, options, what)
        return _guarded(what, lambda: plugin(**values))
    if not isinstance(given, kind):
        raise error("usage", kind.kind, repr(given), f"a name, or an object of a subclass of {kind.__name__}")
    if options:
        raise error(
            "usage",
            f"{kind.kind}_options",
            "options beside an object",
            "options beside a name",
            "give them to the object's constructor",
        )
    return given


def _guarded(what: str, call: Callable):
    try:
        return call()
    except _core.Error as raised:
        raise error(raised.kind, what, str(raised)) from raised
    except Exception as raised:
        raise error("plugin", what, f"{type(raised).__name__}: {raised}") from raised


def _checked(what: str, scores: list, groups: Groups) -> list[list[float]]:
    if len(scores) != len(groups):
        raise error("plugin", what, f"scores of {len(scores)} groups", f"{len(groups)}")
    checked = []
    for group, given in zip(groups.core, scores, strict=True):
        where = f"{what}, group '{group.name}'"
        numbers = _guarded(where, lambda given=given: np.asarray(given, np.float64))
        if numbers.shape != (group.size,):
            raise error("plugin", where, f"scores of shape {numbers.shape}", f"({group.size},), one an index")
        if not np.isfinite(numbers).all():
            wrong = numbers[~np.isfinite(numbers)][0]
            raise error("plugin", where, f"the score {wrong}", "finite numbers")
        checked.append(numbers.tolist())
    return checked
