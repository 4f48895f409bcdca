// The parts of the extension module libcompress._core, one function for each file of this folder. No logic
// here: each mirrors a header of the library, and the package beside it makes them comfortable.
#pragma once

#include <pybind11/pybind11.h>

namespace compress::python {

void bind_error(pybind11::module_& module);      ///< Error
void bind_operators(pybind11::module_& module);  ///< Operator, Operand, OperatorAttribute, operators()
void bind_graph(pybind11::module_& module);      ///< ValueKind, Value, Node, Graph
void bind_model(pybind11::module_& module);      ///< Model, ForeignNode, reading and writing of files
void bind_executor(pybind11::module_& module);   ///< Executor, use_threads()
void bind_costs(pybind11::module_& module);      ///< NodeCost, NetworkCost, cost_of()
void bind_groups(pybind11::module_& module);     ///< GroupMember, PruningGroup, PruningGroups, find_groups()
void bind_plugins(pybind11::module_& module);    ///< Option, PluginInfo, list_plugins(), load_plugin_file()
void bind_scores(pybind11::module_& module);     ///< score_groups(), needs_gradients()
void bind_quantization(pybind11::module_& module);  ///< QuantizedModel, quantize(), compare()
void bind_plans(pybind11::module_& module);  ///< GroupPlan, PruningPlan, and what makes and executes plans

}  // namespace compress::python
