#include "libcompress/runtime/executor.h"

#include "libcompress/base/error.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

std::vector<py::array> run_model(const Model& model, const std::vector<Floats>& inputs) {
  std::vector<Tensor> tensors;
  for (const auto& input : inputs)
    tensors.push_back(Tensor::of(Shape(input.shape(), input.shape() + input.ndim()),
                                 {input.data(), static_cast<std::size_t>(input.size())}));
  std::vector<Tensor> results;
  {
    const py::gil_scoped_release others_may_run;
    results = run_all(model, tensors);
  }
  std::vector<py::array> outputs;
  for (const auto& result : results)
    outputs.push_back(py::array_t<float>(result.shape(), result.as<float>().data()));
  return outputs;
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
