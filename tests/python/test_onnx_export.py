"""ONNX files that libcompress writes: valid, readable, and the same network for ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

lc = pytest.importorskip("libcompress", reason="the Python package is not built")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from onnx_networks import CASES, Case  # noqa: E402

TOLERANCE = 2e-5  # of the output's scale: two runtimes add in two orders


def written(model: lc.Model, folder) -> onnx.ModelProto:
    """`model` as the file has it, past ONNX' own checker and shape inference."""
    model.save(folder / "network.onnx")
    proto = onnx.load(folder / "network.onnx")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def answers(proto: onnx.ModelProto, arrays: list[np.ndarray]) -> list[np.ndarray]:
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), settings, ["CPUExecutionProvider"])
    return session.run(
        None, {each.name: array for each, array in zip(session.get_inputs(), arrays, strict=True)}
    )


def assert_close(found: np.ndarray, wanted: np.ndarray):
    assert found.shape == wanted.shape
    scale = max(1e-6, np.abs(wanted).max(initial=0))
    assert np.abs(found - wanted).max(initial=0) <= TOLERANCE * scale


@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnx_runtime_and_our_own_reader_compute_what_the_executor_does(case: Case, tmp_path):
    model = case.model()
    proto = written(model, tmp_path)
    again = lc.load(tmp_path / "network.onnx")
    for batch in (1, 3):
        arrays = case.arrays(batch)
        wanted = model.run(*arrays)
        assert_close(answers(proto, arrays)[0], wanted)
        assert_close(again.run(*arrays), wanted)


def has_shape(declared: onnx.ValueInfoProto, array: np.ndarray, batch: int) -> bool:
    """Whether `array` is what `declared` says, for a `batch`; an extent without number and name is any."""
    kind = declared.type.tensor_type
    if onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type) != array.dtype:
        return False
    extents = [batch if each.dim_param == "batch" else each.dim_value for each in kind.shape.dim]
    return len(extents) == array.ndim and all(
        extent in (0, found) for extent, found in zip(extents, array.shape, strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_value_is_declared_with_the_shape_it_has(case: Case, tmp_path):
    proto = written(case.model(), tmp_path)
    graph = proto.graph
    declared = {each.name: each for each in [*graph.value_info, *graph.output]}
    made = [name for node in graph.node for name in node.output]
    assert set(made) == set(declared)
    del graph.output[:], graph.value_info[:]  # every value an output, to see it
    graph.output.extend(onnx.ValueInfoProto(name=name, type=declared[name].type) for name in made)
    for batch in (1, 3):
        for name, array in zip(made, answers(proto, case.arrays(batch)), strict=True):
            assert has_shape(declared[name], array, batch), (name, declared[name], array.shape)


def test_every_operator_of_the_table_is_exported():
    assert {case.op for case in CASES} == set(lc.op_table())


def test_values_keep_their_names_and_the_batch_is_symbolic(tmp_path):
    graph = written(Case("linear", [[1, 7]], weights=[[5, 7], [5]]).model(), tmp_path).graph
    assert [node.name for node in graph.node] == ["node"]
    assert [each.name for each in graph.initializer] == ["node.weight0", "node.weight1"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_the_model_names_its_maker_operator_set_and_metadata(tmp_path):
    model = Case("relu", [[1, 7]]).model()
    metadata = {"classes": "cat,dog", "origin": "a test"}
    model.core.metadata = metadata
    proto = written(model, tmp_path)
    assert proto.producer_name == "libcompress" and proto.producer_version
    assert [(each.domain, each.version) for each in proto.opset_import] == [("", 21)]
    assert {each.key: each.value for each in proto.metadata_props} == {
        "classes": "cat,dog",
        "origin": "a test",
    }


def test_a_batch_that_the_graph_fixes_is_a_number_with_the_reason_beside_it(tmp_path):
    graph = written(Case("reshape", [[1, 6]], {"shape": [2, 3], "batch_axis": -1}).model(), tmp_path).graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    assert "The batch is fixed: node 'node'" in graph.doc_string


def test_outputs_that_no_node_makes_and_outputs_named_twice_are_copied(tmp_path):
    graph = lc.Graph()
    x = graph.add_input("x", [1, 3])
    y = graph.add_node("relu", "y", [x])
    graph.set_outputs([x, y, y])
    proto = written(lc.Model(graph, {}), tmp_path)
    found = answers(proto, [np.array([[-1, 0, 2]], np.float32)])
    assert [each.tolist() for each in found] == [[[-1, 0, 2]], [[0, 0, 2]], [[0, 0, 2]]]


def test_an_input_without_axes_has_no_batch_and_leaves_that_of_the_others(tmp_path):
    graph = lc.Graph()
    gain, x = graph.add_input("gain", []), graph.add_input("x", [1, 3])
    graph.set_outputs([graph.add_node("mul", "y", [x, gain])])
    proto = written(lc.Model(graph, {}), tmp_path)
    assert [len(each.type.tensor_type.shape.dim) for each in proto.graph.input] == [0, 2]
    found = answers(proto, [np.array(2, np.float32), np.ones((4, 3), np.float32)])[0]
    assert found.tolist() == [[2, 2, 2]] * 4
    assert proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_name_that_the_writer_would_give_is_not_taken_twice(tmp_path):
    graph = lc.Graph()
    x = graph.add_input("view.shape", [1, 6])
    graph.set_outputs([graph.add_node("reshape", "view", [x], {"shape": [1, 2, 3], "batch_axis": 0})])
    proto = written(lc.Model(graph, {}), tmp_path)
    assert answers(proto, [np.zeros((4, 6), np.float32)])[0].shape == (4, 2, 3)
