"""Small networks for the ONNX writer: every operator of the op table in the forms that differ for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

import libcompress as lc


@dataclass
class Case:
    """One node: `inputs` are shapes of activations, `weights` shapes of parameters behind them."""

    op: str
    inputs: Sequence[Sequence[int]]
    attributes: dict = field(default_factory=dict)
    weights: Sequence[Sequence[int]] = ()
    buffers: Sequence[Sequence[int]] = ()
    positive: bool = False  # inputs and weights above zero
    spread: float = 1.0  # of the inputs

    def __str__(self) -> str:
        told = [f"{key}={value}" for key, value in self.attributes.items()]
        shapes = [str(list(shape)).replace(" ", "") for shape in self.inputs]
        return " ".join([self.op, *shapes, *told]).replace(", ", ",")

    def model(self, seed: int = 1) -> lc.Model:
        """The node alone; its first operand is the input, further activations are made from it."""
        random = np.random.default_rng(seed)
        graph = lc.Graph()
        operands = [graph.add_input(f"input{i}", list(shape)) for i, shape in enumerate(self.inputs)]
        weights = {}
        for kind, shapes in (("weight", self.weights), ("buffer", self.buffers)):
            for i, shape in enumerate(shapes):
                name = f"node.{kind}{i}"
                add = graph.add_parameter if kind == "weight" else graph.add_buffer
                operands.append(add(name, list(shape)))
                values = random.standard_normal(shape)
                positive = self.positive or kind == "buffer"
                weights[name] = (np.abs(values) + 0.2 if positive else values).astype(np.float32)
        graph.set_outputs([graph.add_node(self.op, "node", operands, self.attributes)])
        return lc.Model(graph, weights, self.op)

    def arrays(self, batch: int, seed: int = 2) -> list[np.ndarray]:
        random = np.random.default_rng(seed)
        arrays = []
        for shape in self.inputs:
            values = self.spread * random.standard_normal([batch, *shape[1:]])
            arrays.append((np.abs(values) + 0.2 if self.positive else values).astype(np.float32))
        return arrays


IMAGE = [1, 6, 9, 8]
LINE = [1, 6, 11]
VOLUME = [1, 4, 5, 6, 7]


def window(spatial: int, **settings) -> dict:
    """A window over `spatial` axes that moves by one, with nothing around it."""
    return {
        "stride": [1] * spatial,
        "padding": [0] * 2 * spatial,
        "dilation": [1] * spatial,
        **settings,
    }


def conv(shape, weight, bias=True, groups=1, **settings) -> Case:
    weights = [weight, [weight[0]]] if bias else [weight]
    return Case("conv", [shape], {"groups": groups, **window(len(shape) - 2, **settings)}, weights)


def conv_transpose(shape, weight, bias=True, groups=1, **settings) -> Case:
    spatial = len(shape) - 2
    attributes = {"groups": groups, "output_padding": [0] * spatial, **window(spatial, **settings)}
    weights = [weight, [weight[1] * groups]] if bias else [weight]
    return Case("conv_transpose", [shape], attributes, weights)


def max_pool(shape, kernel, ceil=False, **settings) -> Case:
    return Case("max_pool", [shape], {"kernel": kernel, "ceil": ceil, **window(len(kernel), **settings)})


def avg_pool(shape, kernel, ceil=False, count_padding=False, **settings) -> Case:
    attributes = {"kernel": kernel, "ceil": ceil, "count_padding": count_padding}
    attributes.update(window(len(kernel), **settings))
    del attributes["dilation"]
    return Case("avg_pool", [shape], attributes)


def resize(shape, size, mode, coordinates, **settings) -> Case:
    return Case("resize", [shape], {"size": size, "mode": mode, "coordinates": coordinates, **settings})


def unary() -> list[Case]:
    anywhere = [
        *["relu", "relu6", "sigmoid", "tanh", "hard_swish", "silu", "mish", "softsign", "selu", "exp", "abs"],
        *["neg", "erf", "sin", "cos", "floor", "ceil", "round", "sign", "log_sigmoid", "identity"],
        "hard_sigmoid",
    ]
    cases = [Case(op, [IMAGE], spread=4.0) for op in anywhere]
    cases += [Case(op, [IMAGE], positive=True) for op in ["log", "sqrt", "rsqrt", "reciprocal"]]
    return [
        *cases,
        Case("hard_sigmoid", [IMAGE], {"alpha": 0.3, "beta": 0.4}),
        Case("gelu", [IMAGE], {"tanh": False}),
        Case("gelu", [IMAGE], {"tanh": True}),
        Case("elu", [IMAGE], {"alpha": 0.7}),
        Case("celu", [IMAGE], {"alpha": 0.7}),
        Case("leaky_relu", [IMAGE], {"slope": 0.2}),
        Case("softplus", [IMAGE], {"beta": 1.0}),
        Case("softplus", [IMAGE], {"beta": 2.5}),
        Case("clip", [IMAGE], {"min": -0.5, "max": 0.25}),
        Case("clip", [IMAGE], {"min": -3.4e38, "max": 0.25}),
        Case("prelu", [IMAGE], weights=[[6, 1, 1]]),
        Case("prelu", [[1, 6]], weights=[[1]]),
        Case("dropout", [IMAGE], {"rate": 0.3}),
        Case("softmax", [IMAGE], {"axis": 1}),
        Case("softmax", [IMAGE], {"axis": 3}),
        Case("log_softmax", [[1, 10]], {"axis": 1}),
    ]


def binary() -> list[Case]:
    cases = []
    for op in ["add", "sub", "mul", "div", "maximum", "minimum", "pow"]:
        positive = op in ("div", "pow")
        cases.append(Case(op, [IMAGE, IMAGE], positive=positive))
        cases.append(Case(op, [IMAGE], weights=[[6, 1, 1]], positive=positive))
    return [*cases, Case("mul", [IMAGE, [1, 6, 1, 1]]), Case("add", [LINE], weights=[[]])]


def contractions() -> list[Case]:
    return [
        conv(IMAGE, [5, 6, 3, 3]),
        conv(IMAGE, [4, 6, 3, 2], bias=False, stride=[2, 1], padding=[1, 0, 2, 1], dilation=[1, 2]),
        conv(IMAGE, [12, 1, 3, 3], groups=6, padding=[1, 1, 1, 1]),
        conv(IMAGE, [4, 3, 1, 1], groups=2),
        conv(LINE, [5, 6, 4], stride=[3], padding=[2, 1]),
        conv(VOLUME, [3, 4, 2, 3, 3]),
        conv_transpose(IMAGE, [6, 5, 3, 3]),
        conv_transpose(
            IMAGE, [6, 2, 3, 3], groups=3, stride=[2, 2], padding=[1, 1, 1, 1], output_padding=[1, 0]
        ),
        conv_transpose(LINE, [6, 5, 4], bias=False, stride=[3], padding=[1, 2], dilation=[2]),
        conv_transpose(LINE, [6, 5, 4], output_padding=[], dilation=[]),
        conv_transpose(VOLUME, [4, 2, 2, 2, 2], stride=[2, 2, 2]),
        Case("linear", [[1, 7]], weights=[[5, 7], [5]]),
        Case("linear", [[1, 7]], weights=[[5, 7]]),
        Case("linear", [[1, 4, 7]], weights=[[5, 7], [5]]),
        Case("linear", [[1, 2, 4, 7]], weights=[[5, 7]]),
        Case("matmul", [[1, 2, 4, 5], [1, 2, 5, 3]]),
        Case("matmul", [[1, 4, 5]], weights=[[5, 3]]),
    ]


def norms() -> list[Case]:
    statistics = [[6], [6]]
    return [
        Case("batch_norm", [IMAGE], {"epsilon": 1e-3}, statistics, statistics),
        Case("batch_norm", [[1, 6]], {"epsilon": 1e-3}, statistics, statistics),
        Case("layer_norm", [[1, 5, 6]], {"axis": 2, "epsilon": 1e-5}, [[6], [6]]),
        Case("layer_norm", [IMAGE], {"axis": 1, "epsilon": 1e-5}, [IMAGE[1:]]),
        Case("layer_norm", [[1, 5, 6]], {"axis": 2, "epsilon": 1e-5}),
        Case("group_norm", [IMAGE], {"groups": 3, "epsilon": 1e-5}, [[6], [6]]),
        Case("group_norm", [LINE], {"groups": 2, "epsilon": 1e-5}),
        Case("instance_norm", [IMAGE], {"epsilon": 1e-5}, [[6], [6]]),
        Case("instance_norm", [LINE], {"epsilon": 1e-5}),
    ]


def pools() -> list[Case]:
    cases = [
        max_pool(IMAGE, [2, 3], stride=[2, 2]),
        max_pool(IMAGE, [3, 3], stride=[2, 2], padding=[1, 1, 1, 1], ceil=True),
        max_pool(IMAGE, [3, 2], stride=[2, 3], ceil=True),
        max_pool(IMAGE, [2, 2], stride=[4, 4], dilation=[3, 3], ceil=True),
        Case("max_pool", [IMAGE], {"kernel": [2, 2], "stride": [2, 2]}),
        max_pool(LINE, [3], stride=[2], padding=[1, 0], ceil=True),
        max_pool(VOLUME, [2, 2, 2], stride=[2, 2, 2]),
        avg_pool(IMAGE, [3, 3], stride=[2, 2], padding=[1, 1, 1, 1]),
        avg_pool(IMAGE, [3, 3], stride=[2, 2], padding=[1, 1, 1, 1], count_padding=True),
        avg_pool(IMAGE, [3, 3], stride=[2, 2], padding=[1, 0, 1, 1], ceil=True),
        avg_pool(IMAGE, [3, 3], stride=[2, 2], padding=[1, 1, 1, 1], ceil=True, count_padding=True),
        avg_pool([1, 2, 10, 10], [3, 3], stride=[2, 2], ceil=True, count_padding=True),
        avg_pool(LINE, [4], stride=[3], padding=[1, 1], ceil=True, count_padding=True),
        Case("global_avg_pool", [IMAGE]),
        Case("global_avg_pool", [VOLUME]),
        Case("global_max_pool", [LINE]),
    ]
    for op in ["adaptive_avg_pool", "adaptive_max_pool"]:
        cases += [Case(op, [IMAGE], {"size": size}) for size in ([1, 1], [3, 4], [4, 3], [9, 5], [2, 8])]
        cases += [Case(op, [LINE], {"size": [4]}), Case(op, [VOLUME], {"size": [2, 4, 3]})]
    for name in ["mean", "sum", "max", "min", "prod", "l1", "l2"]:
        op = f"reduce_{name}"
        cases += [
            Case(op, [IMAGE], {"axes": [2, 3], "keep": True}),
            Case(op, [IMAGE], {"axes": [1], "keep": False}),
        ]
    return cases


def movements() -> list[Case]:
    return [
        Case("concat", [IMAGE, [1, 2, 9, 8]], {"axis": 1}),
        Case("concat", [[1, 5, 6]], {"axis": 1}, weights=[[1, 1, 6]]),
        Case("slice", [IMAGE], {"axis": 1, "begin": 1, "end": 5, "step": 2}),
        Case("gather", [IMAGE], {"axis": 1, "indices": [5, 0, 0, 3]}),
        *(
            Case("pad", [IMAGE], {"padding": [0, 0, 1, 2, 0, 0, 3, 0], "mode": mode, "value": 0.0})
            for mode in ["constant", "reflect", "edge", "circular"]
        ),
        Case("pad", [IMAGE], {"padding": [0, 2, 0, 0, 0, 1, 0, 0], "mode": "constant", "value": 1.5}),
        Case("reshape", [IMAGE], {"shape": [1, 3, 2, 72], "batch_axis": 0}),
        Case("reshape", [IMAGE], {"shape": [6, 72], "batch_axis": 0}),
        Case("flatten", [IMAGE]),
        Case("permute", [IMAGE], {"order": [0, 2, 3, 1]}),
        Case("permute", [LINE], {"order": [1, 0, 2]}),
        Case("expand", [[1, 6, 1, 1]], {"shape": [1, 6, 4, 5]}),
        Case("expand", [[1, 6]], {"shape": [3, 1, 6]}),
        *(
            Case(op, [shape], {"block": 2, "order": order})
            for op, shape in [("depth_to_space", [1, 8, 3, 5]), ("space_to_depth", [1, 3, 4, 6])]
            for order in ["crd", "dcr"]
        ),
        Case("channel_shuffle", [IMAGE], {"groups": 3}),
        Case("channel_shuffle", [LINE], {"groups": 2}),
    ]


def resizes() -> list[Case]:
    cases = []
    for size in ([18, 16], [13, 5]):
        for rounding in ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]:
            for coordinates in ["half_pixel", "asymmetric"]:
                cases.append(resize(IMAGE, size, "nearest", coordinates, rounding=rounding))
        for coordinates in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]:
            cases.append(resize(IMAGE, size, "linear", coordinates))
            cases.append(resize(IMAGE, size, "cubic", coordinates, cubic_a=-0.75))
    return [
        *cases,
        resize(LINE, [22], "nearest", "asymmetric", rounding="floor"),
        resize(LINE, [17], "linear", "half_pixel"),
        resize(LINE, [17], "cubic", "half_pixel", cubic_a=-0.5),
        resize(VOLUME, [10, 9, 3], "linear", "align_corners"),
    ]


CASES = [*unary(), *binary(), *contractions(), *norms(), *pools(), *movements(), *resizes()]
