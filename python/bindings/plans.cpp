#include "libcompress/strategy/plan.h"

#include <pybind11/native_enum.h>

#include "libcompress/strategy/select.h"
#include "libcompress/surgery/surgery.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"
#include "python/bindings/plugins.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using Groups = std::vector<PruningGroup>;
using OptionValues = std::map<std::string, OptionValue>;

void bind_limits(py::module_& module) {
  py::native_enum<Resource>(module, "Resource", "enum.Enum", "What a budget bounds.")
      .value("params", Resource::params)
      .value("flash_bytes", Resource::flash_bytes)
      .value("macs", Resource::macs)
      .value("peak_ram_bytes", Resource::peak_ram_bytes)
      .finalize();

  py::class_<Budget>(module, "Budget", "At most so much of each resource; all bounds hold at once.")
      .def(py::init([](const std::vector<std::pair<Resource, std::int64_t>>& bounds, double tolerance) {
             Budget budget{{}, tolerance};
             for (const auto& [resource, amount] : bounds) budget.bounds.push_back({resource, amount});
             return budget;
           }),
           py::arg("bounds"), py::arg("tolerance") = Budget{}.tolerance);

  py::class_<WidthLimits>(module, "WidthLimits", "How narrow a group may get.")
      .def(py::init([](std::int64_t round_to, std::int64_t min_channels,
                       const std::vector<std::pair<std::string, double>>& ratios) {
             WidthLimits limits{round_to, min_channels};
             for (const auto& [pattern, kept] : ratios) limits.ratios.push_back({pattern, kept});
             return limits;
           }),
           py::arg("round_to") = 1, py::arg("min_channels") = 1,
           py::arg("ratios") = std::vector<std::pair<std::string, double>>());
}

void bind_plan_values(py::module_& module) {
  py::class_<GroupPlan>(module, "GroupPlan", "What one group keeps.")
      .def_readonly("group", &GroupPlan::group)
      .def_readonly("size", &GroupPlan::size, "width before")
      .def_readwrite("kept", &GroupPlan::kept, "ascending, at least one")
      .def("__repr__", [](const GroupPlan& plan) {
        return "<GroupPlan " + plan.group + ": " + std::to_string(plan.kept.size()) + " of " +
               std::to_string(plan.size) + ">";
      });

  py::class_<GroupDifference>(module, "GroupDifference",
                              "How two plans differ in one group, by kept indices.")
      .def_readonly("group", &GroupDifference::group)
      .def_readonly("size", &GroupDifference::size)
      .def_readonly("both", &GroupDifference::both)
      .def_readonly("first_only", &GroupDifference::first_only)
      .def_readonly("second_only", &GroupDifference::second_only)
      .def("__repr__", [](const GroupDifference& each) {
        return "<GroupDifference " + each.group + ": " + std::to_string(each.both.size()) + " in both, " +
               std::to_string(each.first_only.size()) + " and " + std::to_string(each.second_only.size()) +
               " in one>";
      });

  py::class_<PruningPlan>(module, "PruningPlan", "The kept indices of every prunable group.")
      .def_readonly("graph", &PruningPlan::graph, "fingerprint of the graph it was made for")
      .def_property_readonly(
          "groups", [](PruningPlan& plan) -> std::vector<GroupPlan>& { return plan.groups; },
          py::return_value_policy::reference_internal)
      .def("to_text", py::overload_cast<const PruningPlan&>(&to_text))
      .def("to_json", &plan_to_json)
      .def_static(
          "from_json",
          [](const std::string& text, const std::string& where) { return plan_from_json(text, where); },
          py::arg("text"), py::arg("where") = "plan", "`where` names the text in messages.")
      .def("compare", &compare_plans, py::arg("other"), "Where another plan for the same graph differs.")
      .def("__repr__", [](const PruningPlan& plan) {
        return "<PruningPlan of " + std::to_string(plan.groups.size()) + " groups>";
      });
}

PruningPlan plan_within(const Model& model, const Groups& groups, const std::vector<Scores>& scores,
                        const Budget& budget, const WidthLimits& limits, const std::string& strategy,
                        const OptionValues& options) {
  const auto made = known_plugins().strategies.make(strategy, options);
  return made->plan({model, groups, scores, budget, limits});
}

}  // namespace

void bind_plans(py::module_& module) {
  bind_limits(module);
  bind_plan_values(module);
  using Release = py::call_guard<py::gil_scoped_release>;

  module.def(
      "full_plan", [](const Graph& graph, const Groups& groups) { return full_plan(graph, groups); },
      py::arg("graph"), py::arg("groups"), "Keeps everything.");
  module.def(
      "plan_fraction",
      [](const Model& model, const Groups& groups, const std::vector<Scores>& scores, double fraction,
         const WidthLimits& limits) {
        return select_fraction({model, groups, scores, {}, limits}, fraction);
      },
      py::arg("model"), py::arg("groups"), py::arg("scores"), py::arg("fraction"),
      py::arg("limits") = WidthLimits{}, Release());
  module.def("plan_within", &plan_within, py::arg("model"), py::arg("groups"), py::arg("scores"),
             py::arg("budget"), py::arg("limits") = WidthLimits{}, py::arg("strategy") = "global",
             py::arg("options") = OptionValues(), Release());
  module.def(
      "prune",
      [](const Model& model, const Groups& groups, const PruningPlan& plan) {
        return prune(model, groups, plan);
      },
      py::arg("model"), py::arg("groups"), py::arg("plan"), Release());
  module.def(
      "masked_twin",
      [](const Model& model, const Groups& groups, const PruningPlan& plan) {
        return masked_twin(model, groups, plan);
      },
      py::arg("model"), py::arg("groups"), py::arg("plan"), Release());
}

}  // namespace compress::python
