"""Changing the size of images."""

from __future__ import annotations

from libcompress.torch_import.call import Call
from libcompress.torch_import.operators.registry import aten


def _resize(call: Call, mode: str, coordinates: str, **attributes) -> int:
    size = [extent.size for extent in call.out[2:]]
    _check_scales(call, size)
    return call.emit(
        "resize", [call.value(_input(call))], size=size, mode=mode, coordinates=coordinates, **attributes
    )


def _input(call: Call) -> str:
    return "self" if "self" in call.arguments else "input"


def _check_scales(call: Call, size: list[int]) -> None:
    """Coordinates follow from the extents: a scale that they do not divide to would give others."""
    scales = call["scale_factors"] or [
        call[name] for name in ("scales", "scales_d", "scales_h", "scales_w") if name in call.arguments
    ]
    before = [extent.size for extent in call.shape(_input(call))[2:]]
    for extent, result, scale in zip(before, size, scales, strict=False):
        if scale is not None and abs(extent * scale - result) > 1e-6 * result:
            call.refuse(f"a scale of {scale} that leaves no whole extent of {extent}; say size instead")


@aten("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")
def nearest(call: Call):
    return _resize(call, "nearest", "asymmetric", rounding="floor")


@aten("_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d")
def nearest_exact(call: Call):
    return _resize(call, "nearest", "half_pixel", rounding="round_prefer_ceil")


def _coordinates(call: Call) -> str:
    return "align_corners" if call["align_corners"] else "half_pixel"


@aten("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")
def linear(call: Call):
    return _resize(call, "linear", _coordinates(call))


@aten("upsample_bicubic2d")
def cubic(call: Call):
    return _resize(call, "cubic", _coordinates(call), cubic_a=-0.75)


@aten("pixel_shuffle")
def pixel_shuffle(call: Call):
    return call.emit("depth_to_space", [call.value("self")], block=call["upscale_factor"], order="crd")


@aten("pixel_unshuffle")
def pixel_unshuffle(call: Call):
    return call.emit("space_to_depth", [call.value("self")], block=call["downscale_factor"], order="crd")
