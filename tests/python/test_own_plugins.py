"""Criteria and strategies of one's own in Python: objects, names, errors with the name."""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
import pytest
from conftest import ROOT

lc = pytest.importorskip("libcompress", reason="the Python package is not built")


def model() -> lc.Model:
    """input -> conv1 (8 channels) -> relu -> conv2 (4 channels)"""
    graph = lc.Graph()
    x = graph.add_input("input", [1, 3, 6, 6])
    first = graph.add_parameter("conv1.weight", [8, 3, 3, 3])
    bias = graph.add_parameter("conv1.bias", [8])
    second = graph.add_parameter("conv2.weight", [4, 8, 1, 1])
    x = graph.add_node("conv", "conv1", [x, first, bias], {"padding": [1, 1, 1, 1]})
    x = graph.add_node("relu", "relu", [x])
    x = graph.add_node("conv", "conv2", [x, second], {})
    graph.set_outputs([x])
    random = np.random.default_rng(1)
    weights = {}
    for each in graph.parameters:
        value = graph.value(each)
        weights[value.name] = random.standard_normal(value.shape).astype(np.float32)
    return lc.Model(graph, weights, "small")


class LastIndices(lc.Criterion):
    """the later an index, the more it matters"""

    options = (
        lc.Option(
            "sign", "number", "1: the later an index, the more it matters; -1: the less", 1.0, minimum=-1
        ),
    )

    def __init__(self, sign: float = 1.0):
        self.sign = sign

    def score(self, group, model):
        return [self.sign * i for i in range(group.size)]


class FirstHalf(lc.Strategy):
    """keeps the first half of every group"""

    def plan(self, request):
        return request.keeping({each.name: range(each.size // 2) for each in request.groups if each.prunable})


@pytest.fixture
def registered():
    """Registers under names of this test alone."""
    from libcompress import plugin

    before = dict(plugin._registered)
    yield lc.register
    plugin._registered.clear()
    plugin._registered.update(before)


def kept(pruned: lc.PrunedModel) -> list[int]:
    return list(pruned.plan.groups[0].kept)


def assert_equals_twin(pruned: lc.PrunedModel):
    images = np.random.default_rng(2).standard_normal((3, 3, 6, 6)).astype(np.float32)
    np.testing.assert_allclose(pruned.model.run(images), pruned.masked_twin().run(images), atol=1e-5)


def test_a_criterion_is_an_object():
    pruned = model().prune(0.5, criterion=LastIndices())
    assert kept(pruned) == [4, 5, 6, 7]
    assert_equals_twin(pruned)


def test_a_criterion_is_a_name_with_checked_options(registered):
    registered("last", LastIndices)
    assert kept(model().prune(0.5, criterion="last", criterion_options={"sign": -1})) == [0, 1, 2, 3]
    with pytest.raises(
        lc.Error, match=r"criterion 'last': unknown option 'sing'.*did you mean 'sign'"
    ) as caught:
        model().prune(0.5, criterion="last", criterion_options={"sing": -1})
    assert caught.value.kind == "recipe"
    with pytest.raises(lc.Error, match=r"option 'sign'.*of at least -1"):
        model().prune(0.5, criterion="last", criterion_options={"sign": -2})


def test_options_beside_an_object_are_refused():
    with pytest.raises(lc.Error, match="give them to the object's constructor"):
        model().prune(0.5, criterion=LastIndices(), criterion_options={"sign": -1})


def test_a_strategy_is_an_object_or_a_name(registered):
    registered("first_half", FirstHalf)
    for strategy in (FirstHalf(), "first_half"):
        pruned = model().prune({"params": 0.9}, strategy=strategy)
        assert kept(pruned) == [0, 1, 2, 3]
        assert_equals_twin(pruned)


def test_a_strategy_may_ask_the_library_with_other_scores():
    class Reversed(lc.Strategy):
        def plan(self, request):
            scores = [[-score for score in each] for each in request.scores]
            return dataclasses.replace(request, scores=scores).by("uniform")

    pruned = model().prune({"params": 0.5}, criterion=LastIndices(), strategy=Reversed(), tolerance=0.2)
    assert kept(pruned) == [0, 1, 2, 3]


def test_a_strategy_is_told_the_whole_request():
    class Asks(lc.Strategy):
        def plan(self, request):
            self.request = request
            return request.by("global")

    strategy, network = Asks(), model()
    network.prune({"params": 0.5, "macs": 10**6}, strategy=strategy, tolerance=0.2, min_channels=2)
    request = strategy.request
    assert request.budget == {"params": network.costs().params // 2, "macs": 10**6}
    assert request.tolerance == 0.2 and request.limits == lc.WidthLimits(min_channels=2)
    assert [len(each) for each in request.scores] == [each.size for each in request.groups]


def test_a_strategy_without_a_budget_is_refused():
    with pytest.raises(lc.Error, match=r"strategy 'FirstHalf': no budget"):
        model().prune(0.5, strategy=FirstHalf())


def test_a_criterion_gets_gradients_only_with_data():
    class Gradient(lc.Criterion):
        needs_gradients = True

        def score(self, group, model):
            raise AssertionError

        def score_all(self, groups, model, context):
            for gradients in context.gradients:
                assert gradients["conv1.weight"].shape == (8, 3, 3, 3)
            return [np.arange(each.size) for each in groups]

    with pytest.raises(lc.Error, match="criterion 'Gradient': no data"):
        model().prune(0.5, criterion=Gradient())
    data = [(np.ones((2, 3, 6, 6), np.float32), np.zeros((2, 6, 6), np.int64))]
    assert kept(model().prune(0.5, criterion=Gradient(), data=data)) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda group: 1 / 0, "criterion 'Odd': ZeroDivisionError: division by zero"),
        (lambda group: [1.0] * (group.size - 1), r"criterion 'Odd', group 'conv1': scores of shape \(7,\)"),
        (lambda group: [float("nan")] * group.size, "group 'conv1': the score nan; allowed: finite numbers"),
        (lambda group: None, r"group 'conv1': scores of shape \(\)"),
        (lambda group: ["many"] * group.size, "group 'conv1': ValueError"),
    ],
)
def test_what_goes_wrong_in_a_criterion_names_it(answer, complaint):
    class Odd(lc.Criterion):
        def score(self, group, model):
            return answer(group)

    with pytest.raises(lc.Error, match=complaint) as caught:
        model().prune(0.5, criterion=Odd())
    assert caught.value.kind == "plugin"


@pytest.mark.parametrize(
    ("answer", "complaint", "kind"),
    [
        (
            lambda request: request.keeping({}),
            "a plan that leaves 256 params; allowed: at most 128",
            "plugin",
        ),
        (lambda request: request.keeping({"conv1": [9]}), "strategy 'Odd': ", "plugin"),
        (
            lambda request: request.keeping({"conv9": [1]}),
            "group 'conv9': no group that may be pruned",
            "input",
        ),
        (lambda request: None, "strategy 'Odd': None; allowed: a PruningPlan", "plugin"),
    ],
)
def test_what_goes_wrong_in_a_strategy_names_it(answer, complaint, kind):
    class Odd(lc.Strategy):
        def plan(self, request):
            return answer(request)

    with pytest.raises(lc.Error, match=complaint) as caught:
        model().prune({"params": 0.5}, strategy=Odd())
    assert caught.value.kind == kind


def test_a_name_is_given_once(registered):
    registered("last", LastIndices)
    registered("last", LastIndices)  # a notebook's cell that runs again
    with pytest.raises(lc.Error, match=r"criterion 'magnitude': there is one: built in"):
        registered("magnitude", LastIndices)
    with pytest.raises(lc.Error, match="a subclass of Criterion or Strategy"):
        registered("object", object)


def test_plugins_are_listed_with_options_and_origin(registered):
    registered("last", LastIndices)
    rows = {each.name: each for each in lc.plugins("criterion")}
    assert rows["magnitude"].origin == "built in"
    assert rows["last"].origin.endswith("test_own_plugins.LastIndices")
    assert rows["last"].summary == "the later an index, the more it matters"
    assert [option.name for option in rows["last"].options] == ["sign"]
    assert "last" in lc.criteria() and "magnitude" in lc.criteria() and "global" in lc.strategies()


def test_an_option_without_a_type_that_there_is_is_an_error():
    with pytest.raises(lc.Error, match="the type 'int'; allowed: boolean, integer"):
        lc.Option("classes", "int", "classes", 3)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_the_example_scores_as_its_shared_object(registered, peak, dimensions):
    from libcompress.plugin import Scorer

    spec = importlib.util.spec_from_file_location("peak", ROOT / "examples" / "own_criterion" / "peak.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    lc.load_plugins(peak)
    assert {each.name: each.origin for each in lc.plugins("criterion")}["peak"] == str(peak)
    network = model()
    scores = [
        Scorer(name, {"dimensions": dimensions}).score_all(network.groups(), network, lc.ScoringContext())
        for name in ("peak", "peak_in_python")
    ]
    assert scores[0] == scores[1]
    assert_equals_twin(network.prune(0.5, criterion=example.Peak()))
