#include "libcompress/runtime/executor.h"

#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

std::vector<py::array> run_model(const Model& model, const std::vector<py::array>& arrays) {
  std::vector<Tensor> inputs;
  for (const auto& array : arrays) inputs.push_back(tensor_of(array));
  std::vector<Tensor> outputs;
  {
    const py::gil_scoped_release others_may_run;
    outputs = run_all(model, inputs);
  }
  std::vector<py::array> results;
  for (const auto& output : outputs) results.push_back(array_of(output));
  return results;
}

}  // namespace

void bind_executor(py::module_& module) {
  module.def("run", &run_model, py::arg("model"), py::arg("inputs"),
             "The outputs for float32 inputs [batch, ...], without dropout and with running statistics.");
  module.def(
      "use_threads", &use_threads, py::arg("count"),
      "Threads inside operators from now on in this process; 0: one a core. Returns the number in use.");
}

}  // namespace compress::python
