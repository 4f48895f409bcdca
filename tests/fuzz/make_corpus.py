#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/NAME: small valid files that reach every part of a reader."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx.parser
from safetensors.numpy import save

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
FIXTURES = HERE.parent / "import" / "fixtures"
sys.path.insert(0, str(HERE.parent / "python"))

from litert_operators import KINDS, OneOperator  # noqa: E402
from tflite_operators import CASES  # noqa: E402


def checkpoints() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FIXTURES.glob("*.pt"))}


def safetensors_files() -> dict[str, bytes]:
    kinds = (FIXTURES / "kinds.safetensors").read_bytes()
    scalar = save({"a": np.array(1.5, np.float32)}, {"note": "[1, 2, 3]"})
    pair = save({"a.weight": np.zeros((2, 3), np.float32), "b": np.arange(4, dtype=np.int64)})
    return {"kinds": kinds, "scalar": scalar, "pair": pair, "none": save({})}


def int8_files() -> dict[str, bytes]:
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.tflite"
        for kind in KINDS:
            kind(OneOperator(0), path)
            files[f"int8_{kind.__name__}"] = path.read_bytes()
    return files


def tflite_files() -> dict[str, bytes]:
    """Of the cases with the same operators the first; one of each operator of 8 bits."""
    chosen: dict[frozenset[int], tuple[str, bytes]] = {}
    for name, network in CASES.items():
        if "chain" in name:  # many of the same operators
            continue
        codes = frozenset(each.builtinCode for each in network.operator_codes)
        chosen.setdefault(codes, (name, network.to_bytes()))
    return dict(chosen.values()) | int8_files()


def ones(shape: str, name: str) -> str:
    count = int(np.prod([int(extent) for extent in shape.split(",")]))
    return f"float[{shape}] {name} = {{{', '.join(['1.0'] * count)}}}"


ONNX_GRAPHS = {  # constants, then nodes from x [n, 3, 4, 4] to y, in ONNX's own text form
    "conv": (ones("2,3,3,3", "w"), "c = Conv<pads = [1, 1, 1, 1]>(x, w) y = Relu(c)"),
    "transposed": (ones("3,2,3,3", "w"), "y = ConvTranspose<strides = [2, 2]>(x, w)"),
    "norm": (", ".join(ones("3", name) for name in "sbmv"), "y = BatchNormalization(x, s, b, m, v)"),
    "layer_norm": (ones("4", "s"), "y = LayerNormalization(x, s)"),
    "gemm": (ones("2,48", "w"), "f = Flatten(x) y = Gemm<transB = 1>(f, w)"),
    "pool": ("", "p = MaxPool<kernel_shape = [2, 2], ceil_mode = 1>(x) y = GlobalAveragePool(p)"),
    "reshape": ("int64[2] s = {0, -1}", "t = Transpose<perm = [0, 2, 3, 1]>(x) y = Reshape(t, s)"),
    "slice": (
        "int64[1] a = {2}, int64[1] b = {1}, int64[1] e = {3}, int64[2] i = {2, 0}",
        "s = Slice(x, b, e, a) y = Gather<axis = 1>(s, i)",
    ),
    "split": ("int64[2] s = {1, 2}", "a, b = Split<axis = 1>(x, s) y = Concat<axis = 1>(b, a)"),
    "pad": ("int64[8] p = {0, 0, 1, 1, 0, 0, 1, 1}", 'y = Pad<mode = "reflect">(x, p)'),
    "resize": ("int64[4] s = {1, 3, 8, 8}", 'y = Resize<mode = "linear">(x, , , s)'),
    "expand": ("int64[4] s = {1, 3, 4, 4}", "r = ReduceMean<axes = [2, 3]>(x) y = Expand(r, s)"),
    "blocks": ("", "d = SpaceToDepth<blocksize = 2>(x) y = DepthToSpace<blocksize = 2>(d)"),
    "matmul": ("", "s = Softmax(x) m = MatMul(s, x) c = Clip(m) y = Erf(c)"),
    "shapes": ("int64[1] i = {2}", "h = Shape(x) g = Gather(h, i) k = Cast<to = 1>(g) y = Mul(x, k)"),
}


def onnx_files() -> dict[str, bytes]:
    files = {}
    for name, (constants, nodes) in ONNX_GRAPHS.items():
        weights = f"<{constants}>" if constants else ""
        text = f"""<ir_version: 8, opset_import: ["" : 17], producer_name: "p">
            g (float[n, 3, 4, 4] x) => (float[m] y) {weights} {{ {nodes} }}"""
        files[name] = onnx.parser.parse_model(text).SerializeToString()
    return files


def numpy_files() -> dict[str, bytes]:
    def saved(write, *arrays) -> bytes:
        file = io.BytesIO()
        write(file, *arrays)
        return file.getvalue()

    small = np.arange(6).reshape(2, 3)
    kinds = ("float32", "float64", "int8", "int64", "bool")
    files = {f"{kind}.npy": saved(np.save, small.astype(kind)) for kind in kinds}
    return files | {"scalar.npy": saved(np.save, np.float32(1)), "two.npz": saved(np.savez, small, small[:1])}


def main() -> None:
    families = {
        "checkpoint": checkpoints,
        "npy": numpy_files,
        "onnx": onnx_files,
        "safetensors": safetensors_files,
        "tflite": tflite_files,
    }
    for name, make in families.items():
        folder = CORPUS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files = make()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        print(f"{name}: {len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
