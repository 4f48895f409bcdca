"""Sizes that know whether they grow with the batch."""

from __future__ import annotations

from typing import NamedTuple


class Extent(NamedTuple):
    """One extent of a shape, stated for a batch of 1."""

    size: int
    batched: bool = False  #: it is `size` times the batch


class BatchInt(int):
    """An argument of an operator that is this number times the batch."""


def as_extent(number: int) -> Extent:
    return Extent(int(number), isinstance(number, BatchInt))


def sizes(extents: tuple[Extent, ...]) -> list[int]:
    return [extent.size for extent in extents]
