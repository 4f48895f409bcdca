"""Pools."""

from __future__ import annotations

from libcompress.torch_import.call import Call
from libcompress.torch_import.operators.registry import aten


def _window(call: Call, spatial: int) -> dict:
    if call.rank() != spatial + 2:
        call.refuse("its input has no batch axis")
    kernel = call.integers("kernel_size", spatial)
    return {
        "kernel": kernel,
        "stride": call.integers("stride", spatial, default=kernel),
        "padding": call.integers("padding", spatial, default=[0]) * 2,
        "ceil": bool(call["ceil_mode"]),
    }


def _max_pool(call: Call, spatial: int) -> int:
    dilation = call.integers("dilation", spatial, default=[1])
    return call.emit("max_pool", [call.value("self")], dilation=dilation, **_window(call, spatial))


def _avg_pool(call: Call, spatial: int) -> int:
    if call["divisor_override"] is not None:
        call.refuse("it divides by a number of its own")
    counted = bool(call["count_include_pad"])
    return call.emit("avg_pool", [call.value("self")], count_padding=counted, **_window(call, spatial))


def _adaptive(call: Call, kind: str, spatial: int) -> int:
    shape = call.out if isinstance(call.out, tuple) else call.out[0]
    size = [extent.size for extent in shape[-spatial:]]
    if call.rank() != spatial + 2:
        call.refuse("its input has no batch axis")
    if set(size) == {1}:
        return call.emit(f"global_{kind}_pool", [call.value("self")])
    return call.emit(f"adaptive_{kind}_pool", [call.value("self")], size=size)


def _with_indices(call: Call, result: int) -> object:
    """Some of these give the indices too, which nobody may read."""
    if isinstance(call.out, tuple):
        return result
    if 1 in call.used:
        call.refuse("somebody reads the indices of the maxima")
    return [result, None]


def _register(spatial: int) -> None:
    @aten(f"max_pool{spatial}d", f"max_pool{spatial}d_with_indices")
    def max_pool(call: Call):
        return _with_indices(call, _max_pool(call, spatial))

    @aten(f"avg_pool{spatial}d")
    def avg_pool(call: Call):
        return _avg_pool(call, spatial)

    @aten(f"adaptive_avg_pool{spatial}d", *([f"_adaptive_avg_pool{spatial}d"] if spatial > 1 else []))
    def adaptive_avg_pool(call: Call):
        return _adaptive(call, "avg", spatial)

    @aten(f"adaptive_max_pool{spatial}d")
    def adaptive_max_pool(call: Call):
        return _with_indices(call, _adaptive(call, "max", spatial))


for _spatial in (1, 2, 3):
    _register(_spatial)
