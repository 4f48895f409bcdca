"""What PyTorch has no operator of its own for: to_torch() against our runtime on graphs made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

lc = pytest.importorskip("libcompress", reason="the Python package is not built")

WINDOW = {"kernel": [3, 2], "stride": [2, 1], "padding": [1, 0, 2, 1]}
RESIZES = [
    {"mode": mode, "coordinates": coordinates, "size": size, **more}
    for mode, more in [
        *(("nearest", {"rounding": r}) for r in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")),
        ("linear", {}),
        ("cubic", {"cubic_a": -0.5}),
        ("cubic", {"cubic_a": -0.75}),
    ]
    for coordinates, size in itertools.product(
        ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"), ([9, 4], [1, 13])
    )
]

CASES = {
    "max_pool": [
        {**WINDOW, "dilation": [1, 1], "ceil": False},
        {**WINDOW, "dilation": [1, 2], "ceil": True},
        {**WINDOW, "padding": [2, 1, 2, 1], "dilation": [1, 1], "ceil": False},
    ],
    "avg_pool": [
        {**WINDOW, "ceil": ceil, "count_padding": counted}
        for ceil in (False, True)
        for counted in (False, True)
    ],
    "pad": [
        {"padding": [0, 1, 2, 1, 0, 2, 0, 1], "mode": mode, "value": 0.5}
        for mode in ("constant", "reflect", "edge", "circular")
    ],
    "depth_to_space": [{"block": 2, "order": order} for order in ("crd", "dcr")],
    "space_to_depth": [{"block": 2, "order": order} for order in ("crd", "dcr")],
    "resize": RESIZES,
    "gather": [{"axis": 2, "indices": [3, 0, 0, 5]}, {"axis": 1, "indices": [3, 2, 1, 0]}],
    "hard_sigmoid": [{"alpha": 0.2, "beta": 0.4}],
    "reduce_prod": [{"axes": [1, 3], "keep": keep} for keep in (False, True)],
    "reduce_l1": [{"axes": [2, 3], "keep": True}],
    "slice": [{"axis": 2, "begin": 1, "end": 6, "step": 2}],
    "channel_shuffle": [{"groups": 2}],
    "global_max_pool": [{}],
    "expand": [{"shape": [1, 4, 6, 8]}],
}


def check(model: lc.Model) -> None:
    x = np.random.default_rng(7).standard_normal((3, *model.inputs[0].shape[1:])).astype(np.float32)
    wanted = model.run(x)
    found = model.to_torch().eval()(torch.from_numpy(x)).detach().numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-5 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize(
    ("op", "attributes"), [(op, attributes) for op, several in CASES.items() for attributes in several]
)
def test_form(op, attributes):
    graph = lc.Graph()
    x = graph.add_input("x", [1, 4, 6, 8])
    graph.set_outputs([graph.add_node(op, "node", [x], attributes)])
    check(lc.Model(graph, {}))


SETTINGS = {"stride": [2, 1], "dilation": [1, 2], "groups": 2}
LAYERS = {
    "conv": ([6, 2, 3, 2], {**SETTINGS, "padding": [1, 0, 2, 1]}),
    "conv_transpose": ([4, 3, 3, 2], {**SETTINGS, "padding": [1, 0, 0, 2], "output_padding": [0, 1]}),
    "conv_transpose_that_is_stretched": (
        [4, 3, 3, 2],
        {**SETTINGS, "padding": [1, 0, 0, 2], "output_padding": [1, 0]},
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("computed", [False, True])
def test_layer_with_another_padding_at_its_end(name, computed):
    """Also with a weight that is computed, which no layer can hold."""
    shape, attributes = LAYERS[name]
    op = name.removesuffix("_that_is_stretched")
    graph = lc.Graph()
    x = graph.add_input("x", [1, 4, 6, 8])
    operands = [graph.add_parameter("layer.weight", shape), graph.add_parameter("layer.bias", [6])]
    weight = graph.add_node("tanh", "bounded", [operands[0]]) if computed else operands[0]
    graph.set_outputs([graph.add_node(op, "layer", [x, weight, operands[1]], attributes)])
    random = np.random.default_rng(3)
    weights = {"layer.weight": random.standard_normal(shape), "layer.bias": random.standard_normal(6)}
    model = lc.Model(graph, weights)
    check(model)
    assert model.to_torch().state_dict().keys() == {"layer.weight", "layer.bias"}


def test_a_batch_norm_with_computed_scales():
    graph = lc.Graph()
    x = graph.add_input("x", [1, 4, 6, 8])
    names = ("scale", "shift", "norm.running_mean", "norm.running_var")
    values = [graph.add_parameter(n, [4]) if n[0] == "s" else graph.add_buffer(n, [4]) for n in names]
    values[0] = graph.add_node("exp", "positive", [values[0]])
    graph.set_outputs([graph.add_node("batch_norm", "norm", [x, *values], {"epsilon": 1e-3})])
    random = np.random.default_rng(3)
    check(lc.Model(graph, {name: random.random(4) + 0.5 for name in names}))


def test_a_class_token_is_stretched_to_the_batch():
    graph = lc.Graph()
    x = graph.add_input("x", [1, 4, 8])
    token = graph.add_parameter("token", [1, 1, 8])
    graph.set_outputs([graph.add_node("concat", "concat", [token, x], {"axis": 1})])
    check(lc.Model(graph, {"token": np.arange(8.0).reshape(1, 1, 8)}))
