"""Operators that move elements and compute nothing."""

from __future__ import annotations

import math

import torch

from libcompress.torch_import.call import LOWEST, Call
from libcompress.torch_import.extents import BatchInt, Extent
from libcompress.torch_import.operators.registry import aten


@aten("view", "_unsafe_view", "reshape", "_reshape_copy", "unflatten", "unsqueeze", "squeeze", "view_copy")
def reshape(call: Call):
    """`flatten` where everything behind the batch becomes one axis."""
    before, after = call.shape("self"), call.out
    if len(before) > 2 and len(after) == 2 and before[0] == after[0]:
        return call.emit("flatten", [call.value("self")])
    return call.reshape(call.value("self"), after)


@aten("flatten")
def flatten(call: Call):
    return reshape(call)


# ---- order of axes


@aten("permute")
def permute(call: Call):
    order = [axis % call.rank() for axis in call["dims"]]
    return call.permute(call.value("self"), order)


def _swapped(call: Call, a: int, b: int) -> int:
    order = list(range(call.rank()))
    order[a], order[b] = order[b], order[a]
    return call.permute(call.value("self"), order)


@aten("transpose", "swapaxes", "swapdims")
def transpose(call: Call):
    names = ("dim0", "dim1") if "dim0" in call.arguments else ("axis0", "axis1")
    return _swapped(call, *(call[name] % call.rank() for name in names))


@aten("t")
def t(call: Call):
    return _swapped(call, 0, 1) if call.rank() == 2 else call.operand("self")


@aten("mT", "adjoint", "mH")
def matrix_transpose(call: Call):
    return _swapped(call, call.rank() - 2, call.rank() - 1)


@aten("numpy_T")
def reversed_axes(call: Call):
    return call.permute(call.value("self"), list(reversed(range(call.rank()))))


@aten("movedim", "moveaxis")
def movedim(call: Call):
    def axes(name: str) -> list[int]:
        given = call[name] if isinstance(call[name], list | tuple) else [call[name]]
        return [axis % call.rank() for axis in given]

    places = dict(zip(axes("destination"), axes("source"), strict=True))
    rest = iter(axis for axis in range(call.rank()) if axis not in places.values())
    order = [places[axis] if axis in places else next(rest) for axis in range(call.rank())]
    return call.permute(call.value("self"), order)


# ---- parts


@aten("slice")
def slice_(call: Call):
    axis = call.axis()
    extent = call.shape("self")[axis]
    begin, end, step = _bounds(call, extent.size)
    if (begin, end, step) == (0, extent.size, 1):
        return call.operand("self")
    if extent.batched:
        call.refuse("it takes a part of the batch")
    return call.slice(call.value("self"), axis, begin, end, step)


def _bounds(call: Call, extent: int) -> tuple[int, int, int]:
    """As Python slices: negative from the end, cut off at the extent."""
    step = 1 if call["step"] is None else call["step"]
    return slice(call["start"], call["end"], step).indices(extent)


@aten("narrow")
def narrow(call: Call):
    axis = call.axis()
    begin = call["start"] % call.shape("self")[axis].size
    return call.slice(call.value("self"), axis, begin, begin + call["length"])


@aten("select")
def select(call: Call):
    axis = call.axis()
    extent = call.shape("self")[axis]
    if extent.batched:
        call.refuse("it takes one example of the batch")
    index = call["index"] % extent.size
    return call.reshape(call.slice(call.value("self"), axis, index, index + 1, part="slice"), call.out)


def _pieces(call: Call, axis: int, lengths: list[int]) -> list[int | None]:
    """Slices one after the other; only those that somebody reads."""
    if call.shape("self")[axis].batched and len(lengths) > 1:
        call.refuse("it cuts the batch apart")
    value, begin, parts = call.value("self"), 0, []
    for i, length in enumerate(lengths):
        wanted = i in call.used
        parts.append(call.slice(value, axis, begin, begin + length, part=str(i)) if wanted else None)
        begin += length
    return parts


@aten("split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk", "tensor_split")
def split(call: Call):
    axis = call.axis()
    return _pieces(call, axis, [extents[axis].size for extents in call.out])


@aten("unbind")
def unbind(call: Call):
    axis = call.axis()
    slices = _pieces(call, axis, [1] * call.shape("self")[axis].size)
    return [
        None if piece is None else call.reshape(piece, extents, "unbind")
        for piece, extents in zip(slices, call.out, strict=True)
    ]


# ---- picks


def _gather(call: Call, value: int, axis: int, indices: torch.Tensor, extent: int, part: str = "") -> int:
    indices = indices.reshape(-1).to(torch.int64)
    indices = torch.where(indices < 0, indices + extent, indices)
    return call.emit("gather", [value], part, axis=axis, indices=indices.tolist())


@aten("index_select")
def index_select(call: Call):
    indices = call.constant("index")
    if indices is None:
        call.refuse("its indices depend on the input")
    axis = call.axis()
    return _gather(call, call.value("self"), axis, indices, call.shape("self")[axis].size)


@aten("embedding")
def embedding(call: Call):
    indices = call.constant("indices")
    if indices is None:
        call.refuse("its indices depend on the input")
    picked = _gather(call, call.value("weight"), 0, indices, call.shape("weight")[0].size, "gather")
    return call.reshape(picked, call.out)


@aten("index", "_unsafe_index")
def index(call: Call):
    """x[..., indices, ...] with constant indices along axes that lie side by side."""
    given = call["indices"]
    axes = [axis for axis, each in enumerate(given) if each is not None]
    tensors = [call.tensor_of(given[axis]) for axis in axes]
    if any(each is None for each in tensors):
        call.refuse("its indices depend on the input")
    if axes != list(range(axes[0], axes[-1] + 1)):
        call.refuse("it picks along axes that do not lie side by side")
    shape = call.shape("self")
    if any(shape[axis].batched for axis in axes):
        call.refuse("it picks examples of the batch")
    value, flat, extent = call.value("self"), *_flat_indices(tensors, [shape[axis].size for axis in axes])
    if len(axes) > 1:
        joined = (*shape[: axes[0]], Extent(extent), *shape[axes[-1] + 1 :])
        value = call.reshape(value, joined, "joined")
    return call.reshape(_gather(call, value, axes[0], flat, extent, "gather"), call.out)


def _flat_indices(tensors: list[torch.Tensor], extents: list[int]) -> tuple[torch.Tensor, int]:
    """Several indices as one into the axes laid end to end."""
    flat = torch.zeros((), dtype=torch.int64)
    for indices, extent in zip(torch.broadcast_tensors(*tensors), extents, strict=True):
        flat = flat * extent + torch.where(indices < 0, indices + extent, indices)
    return flat, math.prod(extents)


@aten("flip")
def flip(call: Call):
    value = call.value("self")
    axes = call.axes("dims")
    for i, axis in enumerate(axes):
        if call.shape("self")[axis].batched:
            call.refuse("it turns the batch round")
        extent = call.shape("self")[axis].size
        part = "" if i == len(axes) - 1 else f"axis{axis}"
        value = _gather(call, value, axis, torch.arange(extent - 1, -1, -1), extent, part)
    return value


# ---- together


def _concat(call: Call, values: list[int], axis: int, part: str = "") -> int:
    return values[0] if len(values) == 1 else call.emit("concat", values, part, axis=axis)


@aten("cat", "concat", "concatenate")
def cat(call: Call):
    """Torch lets an empty vector pass for any tensor."""
    full = [i for i, extents in enumerate(call.shapes("tensors")) if math.prod(e.size for e in extents)]
    values = call.values("tensors")
    shape = call.shapes("tensors")[full[0]]
    axis = call["dim"] % len(shape)
    if shape[axis].batched and len(full) > 1:
        call.refuse("it makes the batch larger")
    return _concat(call, [values[i] for i in full], axis)


@aten("stack")
def stack(call: Call):
    axis = call["dim"] % len(call.out)
    rows = []
    for i, (value, extents) in enumerate(zip(call.values("tensors"), call.shapes("tensors"), strict=True)):
        rows.append(call.reshape(value, (*extents[:axis], Extent(1), *extents[axis:]), f"row{i}"))
    return _concat(call, rows, axis)


@aten("repeat", "tile")
def repeat(call: Call):
    """New axes in front, then the same value so many times along each axis."""
    times = list(call["repeats"] if "repeats" in call.arguments else call["dims"])
    times = [1] * (call.rank() - len(times)) + times
    shape = (*[Extent(1)] * (len(times) - call.rank()), *call.shape("self"))
    value = call.reshape(call.value("self"), shape, "axes")
    for axis, (count, extent) in enumerate(zip(times, shape, strict=True)):
        if count == 1 and (not isinstance(count, BatchInt) or extent.size == 1):
            continue
        if isinstance(count, BatchInt) or extent.batched:
            call.refuse("it repeats along the batch")
        value = _concat(call, [value] * count, axis, f"axis{axis}")
    return value


@aten("repeat_interleave")
def repeat_interleave(call: Call):
    count = call["repeats"]
    if not isinstance(count, int) or isinstance(count, BatchInt) or not call.has("dim"):
        call.refuse("its counts are not one number along one axis")
    axis, shape = call.axis(), call.shape("self")
    column = (*shape[: axis + 1], Extent(1), *shape[axis + 1 :])
    value = call.reshape(call.value("self"), column, "column")
    return call.reshape(_concat(call, [value] * count, axis + 1, "repeated"), call.out)


@aten("expand", "expand_as", "broadcast_to")
def expand(call: Call):
    """An axis that becomes the batch stays 1: what reads it broadcasts."""
    before = (*[Extent(1)] * (len(call.out) - call.rank()), *call.shape("self"))
    for old, new in zip(before, call.out, strict=True):
        if new.batched and not old.batched and new.size != 1:
            call.refuse("it expands to more than one row an example")
    value = call.reshape(call.value("self"), before, "axes")
    size = [extent.size for extent in call.out]
    return value if list(call.draft.shape(value)) == size else call.emit("expand", [value], shape=size)


@aten("roll")
def roll(call: Call):
    """The last elements come first."""
    value = call.value("self")
    shifts = call.integers("shifts", 1)
    axes = call["dims"]
    if not axes:
        call.refuse("it rolls over all axes at once")
    for shift, axis in zip(shifts, axes, strict=True):
        axis %= call.rank()
        extent = call.shape("self")[axis]
        if extent.batched:
            call.refuse("it rolls the batch")
        if (count := shift % extent.size) == 0:
            continue
        last = call.slice(value, axis, extent.size - count, extent.size, part="last")
        first = call.slice(value, axis, 0, extent.size - count, part="first")
        value = call.emit("concat", [last, first], axis=axis)
    return value


@aten("slice_scatter")
def slice_scatter(call: Call):
    """`src` in place of a range: what is before it, it, what is behind it."""
    axis, extent = call.axis(), call.shape("self")[call.axis()]
    begin, end, step = _bounds(call, extent.size)
    if (begin, end) == (0, extent.size) and step == 1:
        return call.operand("src")
    if extent.batched or step != 1:
        call.refuse("it writes every other element" if step != 1 else "it writes a part of the batch")
    return _between(call, axis, begin, end, call.value("src"))


@aten("select_scatter")
def select_scatter(call: Call):
    axis = call.axis()
    shape = call.shape("self")
    begin = call["index"] % shape[axis].size
    row = call.reshape(call.value("src"), (*shape[:axis], Extent(1), *shape[axis + 1 :]), "row")
    return _between(call, axis, begin, begin + 1, row)


def _between(call: Call, axis: int, begin: int, end: int, middle: int) -> int:
    value, extent = call.value("self"), call.shape("self")[axis].size
    before = [call.slice(value, axis, 0, begin, part="before")] if begin > 0 else []
    behind = [call.slice(value, axis, end, extent, part="behind")] if end < extent else []
    return _concat(call, [*before, middle, *behind], axis)


@aten("copy")
def copy(call: Call):
    """`src` where it has the shape already; else it is stretched."""
    size = [extent.size for extent in call.out]
    constant = call.constant("src")
    if constant is not None:
        return call.constant_value(constant.expand(size), "constant")
    value = call.value("src")
    return value if list(call.draft.shape(value)) == size else call.emit("expand", [value], shape=size)


# ---- padding


def _pad(call: Call, mode: str, value: float = 0.0) -> int:
    """PyTorch counts pairs from the last axis; negative ones cut."""
    rank = call.rank()
    begins, ends = [0] * rank, [0] * rank
    given = list(call["pad"] if "pad" in call.arguments else call["padding"])
    for i in range(len(given) // 2):
        begins[rank - 1 - i], ends[rank - 1 - i] = given[2 * i], given[2 * i + 1]
    result = call.value("self")
    for axis, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        extent = call.draft.shape(result)[axis]
        if begin < 0 or end < 0:
            result = call.slice(result, axis, max(0, -begin), extent + min(0, end), part=f"cut{axis}")
    padding = [max(0, each) for each in begins + ends]
    if not any(padding):
        return result
    value = min(max(float(value), LOWEST), -LOWEST)
    return call.emit("pad", [result], padding=padding, mode=mode, value=value)


@aten("constant_pad_nd")
def constant_pad(call: Call):
    return _pad(call, "constant", call["value"] or 0.0)


@aten("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
def reflection_pad(call: Call):
    return _pad(call, "reflect")


@aten("replication_pad1d", "replication_pad2d", "replication_pad3d")
def replication_pad(call: Call):
    return _pad(call, "edge")


@aten("pad", "_pad_circular")
def pad(call: Call):
    mode = call["mode"] or "circular"
    named = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "circular"}
    return _pad(call, named[mode], call["value"] or 0.0)


@aten("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(call: Call):
    return call.emit("channel_shuffle", [call.value("self")], groups=call["groups"])
