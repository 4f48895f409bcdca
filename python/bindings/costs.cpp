#include "libcompress/analysis/cost.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {

void bind_costs(py::module_& module) {
  py::class_<NodeCost>(module, "NodeCost")
      .def_readonly("node", &NodeCost::node)
      .def_readonly("params", &NodeCost::params)
      .def_readonly("macs", &NodeCost::macs)
      .def_readonly("other_ops", &NodeCost::other_ops)
      .def_readonly("activation_bytes", &NodeCost::activation_bytes, "of the output, as int8")
      .def_readonly("ram_bytes", &NodeCost::ram_bytes, "int8 activations alive while it runs");

  py::class_<NetworkCost>(module, "NetworkCost", "What a network costs for one example.")
      .def_readonly("params", &NetworkCost::params)
      .def_readonly("macs", &NetworkCost::macs)
      .def_readonly("other_ops", &NetworkCost::other_ops)
      .def_readonly("flash_bytes", &NetworkCost::flash_bytes, "constants of the 8-bit network")
      .def_readonly("peak_ram_bytes", &NetworkCost::peak_ram_bytes, "int8 activations alive at once")
      .def_readonly("nodes", &NetworkCost::nodes, "in topological order")
      .def("__repr__", [](const NetworkCost& cost) {
        return "<NetworkCost params=" + std::to_string(cost.params) + " macs=" + std::to_string(cost.macs) +
               " flash_bytes=" + std::to_string(cost.flash_bytes) +
               " peak_ram_bytes=" + std::to_string(cost.peak_ram_bytes) + ">";
      });

  module.def("cost_of", &cost_of, py::arg("graph"));
}

}  // namespace compress::python
