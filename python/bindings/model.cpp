#include "libcompress/export/onnx_writer.h"
#include "libcompress/graph/canonicalize.h"
#include "libcompress/graph/graph.h"
#include "libcompress/pipeline/model_file.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using Shapes = std::map<std::string, Shape>;  // of graph inputs, by name

Model make_model(std::string name, const Graph& graph, const py::dict& weights,
                 std::map<std::string, std::string> metadata) {
  Model model{std::move(name), graph, tensors_of(weights), std::move(metadata)};
  verify(model);
  return model;
}

void bind_foreign(py::module_& module) {
  py::class_<ForeignNode>(module, "ForeignNode", "One operator of a network of another framework.")
      .def(py::init([](std::string name, std::string op, bool supported, std::string reason) {
             return ForeignNode{std::move(name), std::move(op), {}, {}, supported, std::move(reason)};
           }),
           py::arg("name"), py::arg("op"), py::arg("supported"), py::arg("reason") = "")
      .def_readonly("name", &ForeignNode::name)
      .def_readonly("op", &ForeignNode::op)
      .def_readonly("inputs", &ForeignNode::inputs)
      .def_readonly("outputs", &ForeignNode::outputs)
      .def_readonly("supported", &ForeignNode::supported)
      .def_readonly("reason", &ForeignNode::reason, "why not, if it is not supported")
      .def("__repr__", [](const ForeignNode& node) {
        return "<ForeignNode " + node.name + ": " + node.op + (node.supported ? "" : ", unsupported") + ">";
      });

  module.def("list_foreign", &list_foreign, py::arg("path"), py::arg("shapes") = Shapes(),
             py::call_guard<py::gil_scoped_release>());
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<Model>(module, "Model", "A graph with its weights.")
      .def(py::init(&make_model), py::arg("name"), py::arg("graph"), py::arg("weights"),
           py::arg("metadata") = std::map<std::string, std::string>())
      .def_readwrite("name", &Model::name)
      .def_readonly("graph", &Model::graph)
      .def_readwrite("metadata", &Model::metadata)
      .def_property_readonly("weights", [](const Model& model) { return arrays_of(model.weights); })
      .def("verify", py::overload_cast<const Model&>(&verify));

  module.def(
      "load_model",
      [](const std::filesystem::path& path, const Shapes& shapes) {
        return load_model(path, nullptr, shapes);
      },
      py::arg("path"), py::arg("shapes") = Shapes(), py::call_guard<py::gil_scoped_release>());
  module.def("write_model", &write_model, py::arg("path"), py::arg("model"),
             py::call_guard<py::gil_scoped_release>());
  module.def("canonicalize", py::overload_cast<const Model&>(&canonicalize), py::arg("model"),
             py::call_guard<py::gil_scoped_release>(), "The same network in simpler forms.");
  bind_foreign(module);
  module.def("fixed_batch_reason", &fixed_batch_reason, py::arg("graph"),
             "Why an ONNX file of it takes only the declared batch; empty where any will do.");
}

}  // namespace compress::python
