"""Pruning groups with names instead of ids."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
        return _named(self._graph, self.core[key if key >= 0 else len(self) + key])

    def __iter__(self) -> Iterator[Group]:
        return (_named(self._graph, group) for group in self.core)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))


def _named(graph: _core.Graph, group: _core.PruningGroup) -> Group:
    members = group.members
    params = _covered(graph, members)
    return Group(
        name=group.name,
        size=group.size,
        prunable=group.prunable,
        reason=group.reason,
        spatial=group.spatial,
        members=[GroupMember(graph.value(m.value).name, m.axis, m.indices) for m in members],
        params=params,
        bytes=4 * params,
    )


def _covered(graph: _core.Graph, members) -> int:
    """Elements of parameters that lie in some member; one that two axes cover counts once."""
    left: dict[int, list[int]] = {}  # by parameter: its extents without the group
    for member in members:
        extents = left.setdefault(member.value, list(graph.value(member.value).shape))
        extents[member.axis] -= sum(map(len, member.indices))
    return sum(
        math.prod(graph.value(value).shape) - math.prod(extents)
        for value, extents in left.items()
        if graph.value(value).kind == _core.ValueKind.parameter
    )
