#include "python/bindings/bindings.h"

PYBIND11_MODULE(_core, module) {
  using namespace compress::python;
  module.doc() = "The library itself; the package libcompress makes it comfortable.";
  bind_error(module);
  bind_operators(module);
  bind_graph(module);
  bind_model(module);
  bind_executor(module);
  bind_costs(module);
  bind_groups(module);
  bind_plugins(module);
  bind_scores(module);
  bind_plans(module);
  bind_quantization(module);
}
