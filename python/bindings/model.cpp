#include "libcompress/export/onnx_writer.h"
#include "libcompress/graph/canonicalize.h"
#include "libcompress/graph/graph.h"
#include "libcompress/pipeline/model_file.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

Model make_model(std::string name, const Graph& graph, const py::dict& weights,
                 std::map<std::string, std::string> metadata) {
  Model model{std::move(name), graph, tensors_of(weights), std::move(metadata)};
  verify(model);
  return model;
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
      "load_model", [](const std::filesystem::path& path) { return load_model(path, nullptr); },
      py::arg("path"), py::call_guard<py::gil_scoped_release>());
  module.def("canonicalize", py::overload_cast<const Model&>(&canonicalize), py::arg("model"),
             py::call_guard<py::gil_scoped_release>(), "The same network in simpler forms.");
  module.def("save_model", &save_model, py::arg("path"), py::arg("model"),
             py::call_guard<py::gil_scoped_release>());
  module.def("save_onnx", &write_onnx, py::arg("path"), py::arg("model"),
             py::call_guard<py::gil_scoped_release>());
  module.def("fixed_batch_reason", &fixed_batch_reason, py::arg("graph"),
             "Why an ONNX file of it takes only the declared batch; empty where any will do.");
}

}  // namespace compress::python
