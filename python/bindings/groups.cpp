#include "libcompress/analysis/groups.h"

#include "libcompress/analysis/group_cost.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {

void bind_groups(py::module_& module) {
  using Groups = std::vector<PruningGroup>;

  py::class_<GroupMember>(module, "GroupMember", "An axis of a tensor that shrinks with a group.")
      .def_property_readonly("value", [](const GroupMember& member) { return member.axis.value; })
      .def_property_readonly("axis", [](const GroupMember& member) { return member.axis.dimension; })
      .def_property_readonly(
          "indices", [](const GroupMember& member) { return member.indices.as_vectors(); },
          "by index of the group: the axis' indices that go with it");

  py::class_<PruningGroup>(module, "PruningGroup", "Indices that can only be removed everywhere at once.")
      .def_readonly("name", &PruningGroup::name)
      .def_readonly("size", &PruningGroup::size)
      .def_readonly("members", &PruningGroup::members)
      .def_readonly("prunable", &PruningGroup::prunable)
      .def_readonly("reason", &PruningGroup::reason)
      .def_readonly("spatial", &PruningGroup::spatial)
      .def_readonly("smallest", &PruningGroup::smallest);

  py::class_<Groups>(module, "PruningGroups", "All groups of a graph.")
      .def("__len__", &Groups::size)
      .def(
          "__getitem__",
          [](const Groups& groups, std::size_t i) -> const PruningGroup& {
            if (i >= groups.size()) throw py::index_error();
            return groups[i];
          },
          py::return_value_policy::reference_internal)
      .def(
          "__iter__", [](const Groups& groups) { return py::make_iterator(groups.begin(), groups.end()); },
          py::keep_alive<0, 1>());

  py::class_<GroupCost>(module, "GroupCost", "What the indices of a group weigh.")
      .def_readonly("params", &GroupCost::params)
      .def_readonly("bytes", &GroupCost::bytes)
      .def_readonly("macs", &GroupCost::macs)
      .def_readonly("params_an_index", &GroupCost::params_an_index)
      .def_readonly("macs_an_index", &GroupCost::macs_an_index);

  module.def(
      "cost_of_groups",
      [](const Graph& graph, const Groups& groups) { return cost_of_groups(graph, groups); },
      py::arg("graph"), py::arg("groups"), py::call_guard<py::gil_scoped_release>());
  module.def(
      "find_groups",
      [](const Graph& graph, std::vector<std::string> ignore, std::vector<std::string> spatial) {
        return find_groups(graph, {std::move(ignore), std::move(spatial)});
      },
      py::arg("graph"), py::arg("ignore") = std::vector<std::string>(),
      py::arg("spatial") = std::vector<std::string>(), py::call_guard<py::gil_scoped_release>());
}

}  // namespace compress::python
