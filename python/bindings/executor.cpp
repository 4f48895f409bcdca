#include "libcompress/runtime/executor.h"

#include <algorithm>

#include "libcompress/base/error.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

std::vector<py::array> run_model(const Model& model, const std::vector<Floats>& inputs) {
  if (inputs.size() != 1)
    throw Error(ErrorKind::usage, {"run", std::to_string(inputs.size()) + " inputs", "one input", ""});
  const auto& input = inputs.front();
  const auto batch = input.ndim() > 0 ? input.shape(0) : 1;
  const std::span<const float> values(input.data(), static_cast<std::size_t>(input.size()));
  const auto& wanted = model.graph.outputs();
  std::map<ValueId, std::pair<std::vector<float>, Shape>> seen;
  {
    const py::gil_scoped_release others_may_run;
    run_observed(model, values, batch, [&](ValueId id, std::span<const float> found, const Shape& shape) {
      if (std::find(wanted.begin(), wanted.end(), id) != wanted.end())
        seen[id] = {{found.begin(), found.end()}, shape};
    });
  }
  std::vector<py::array> outputs;
  for (const auto id : wanted) outputs.push_back(py::array_t<float>(seen[id].second, seen[id].first.data()));
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
