"""Pruning groups with names instead of ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from libcompress import _core


@dataclass(frozen=True)
class GroupMember:
    """An axis that shrinks with a group: index i of the group takes `indices[i]` of the axis with it."""

    tensor: str
    axis: int
    indices: list[list[int]]


@dataclass(frozen=True)
class Group:
    """Indices that can only be removed everywhere at once; `reason` says why where it is not prunable."""

    name: str
    size: int
    prunable: bool
    reason: str
    spatial: bool
    members: list[GroupMember]
    params: int  #: elements of parameters that belong to some index of the group
    bytes: int  #: the same as float32
    macs: int  #: of the layers whose weight belongs to the group, for one example

    def __repr__(self) -> str:
        why = "" if self.prunable else f", stays: {self.reason}"
        return f"<Group {self.name}: {self.size} indices, {len(self.members)} axes{why}>"


class Groups(Sequence):
    """All groups of a graph, in topological order; a list to look at, and what plans are made from."""

    def __init__(self, graph: _core.Graph, core: _core.PruningGroups):
        self._graph = graph
        self.core = core

    def __len__(self) -> int:
        return len(self.core)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return [self[i] for i in range(*key.indices(len(self)))]
        index = key if key >= 0 else len(self) + key
        return _named(self._graph, self.core[index], self._costs[index])

    def __iter__(self) -> Iterator[Group]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    @cached_property
    def _costs(self) -> list[_core.GroupCost]:
        return _core.cost_of_groups(self._graph, self.core)


def _named(graph: _core.Graph, group: _core.PruningGroup, cost: _core.GroupCost) -> Group:
    return Group(
        name=group.name,
        size=group.size,
        prunable=group.prunable,
        reason=group.reason,
        spatial=group.spatial,
        members=[GroupMember(graph.value(m.value).name, m.axis, m.indices) for m in group.members],
        params=cost.params,
        bytes=cost.bytes,
        macs=cost.macs,
    )
