#include "python/bindings/plugins.h"

#include "libcompress/pipeline/guard.h"
#include "libcompress/pipeline/plugin_file.h"
#include "plugins/built_in.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using OptionValues = std::map<std::string, OptionValue>;

/// A plugin as a list shows it.
struct PluginRow {
  std::string kind, name, summary, origin;
  OptionTable options;
};

std::vector<PluginRow> list_plugins() {
  std::vector<PluginRow> rows;
  for_each_catalog(known_plugins(), [&](const auto& catalog) {
    for (const auto& name : catalog.names()) {
      const auto& entry = catalog.entry(name);
      rows.push_back(
          {catalog.noun(), name, entry.summary, known_plugins().origin(catalog.noun(), name), entry.options});
    }
  });
  return rows;
}

OptionType type_of(const std::string& name) {
  using enum OptionType;
  std::string known;
  for (const auto type : {boolean, integer, number, string, path, integers, numbers, strings}) {
    if (to_string(type) == name) return type;
    known += (known.empty() ? "" : ", ") + to_string(type);
  }
  throw Error(ErrorKind::usage, {"option", "the type '" + name + "'", known, ""});
}

OptionSpec make_option(std::string name, const std::string& type, std::string help,
                       std::optional<OptionValue> fallback, std::optional<double> minimum,
                       std::optional<double> maximum, std::vector<std::string> choices) {
  OptionSpec spec{std::move(name), type_of(type), std::move(help),   std::move(fallback),
                  minimum,         maximum,       std::move(choices)};
  spec.required = !spec.fallback;
  if (spec.fallback) spec.fallback = check_option(spec, *spec.fallback, "default");
  return spec;
}

void bind_options(py::module_& module) {
  py::class_<OptionSpec>(module, "Option", "An option of a plugin; one without a default has to be given.")
      .def(py::init(&make_option), py::arg("name"), py::arg("type"), py::arg("help"),
           py::arg("default") = py::none(), py::kw_only(), py::arg("minimum") = py::none(),
           py::arg("maximum") = py::none(), py::arg("choices") = std::vector<std::string>(),
           "`type` is one of boolean, integer, number, string, path, list of integers, list of numbers, list "
           "of strings.")
      .def_readonly("name", &OptionSpec::name)
      .def_property_readonly("type", [](const OptionSpec& spec) { return to_string(spec.type); })
      .def_readonly("help", &OptionSpec::help)
      .def_readonly("default", &OptionSpec::fallback)
      .def_readonly("minimum", &OptionSpec::minimum)
      .def_readonly("maximum", &OptionSpec::maximum)
      .def_readonly("choices", &OptionSpec::choices)
      .def_readonly("required", &OptionSpec::required)
      .def("__repr__", [](const OptionSpec& spec) {
        return "<Option " + spec.name + ": " + allowed_by(spec) +
               (spec.fallback ? ", default " + to_string(*spec.fallback) : "") + ">";
      });

  module.def(
      "check_options",
      [](const OptionTable& table, const OptionValues& given, const std::string& where) {
        return Options::checked(table, given, where).values();
      },
      py::arg("table"), py::arg("given"), py::arg("where"), "With defaults filled in.");
}

}  // namespace

Plugins& known_plugins() {
  static auto* const plugins = new Plugins(built_in_plugins());  // outlives every Python object
  return *plugins;
}

void bind_plugins(py::module_& module) {
  bind_options(module);
  py::class_<PluginRow>(module, "PluginInfo", "A plugin as `plugins()` lists it.")
      .def(py::init([](std::string kind, std::string name, std::string summary, std::string origin,
                       OptionTable options) {
             return PluginRow{std::move(kind), std::move(name), std::move(summary), std::move(origin),
                              std::move(options)};
           }),
           py::arg("kind"), py::arg("name"), py::arg("summary"), py::arg("origin"), py::arg("options"))
      .def_readonly("kind", &PluginRow::kind)
      .def_readonly("name", &PluginRow::name)
      .def_readonly("summary", &PluginRow::summary)
      .def_readonly("origin", &PluginRow::origin, "\"built in\", a file, or a Python class")
      .def_readonly("options", &PluginRow::options)
      .def("__repr__", [](const PluginRow& row) {
        return "<PluginInfo " + row.kind + " '" + row.name + "' (" + row.origin + "): " + row.summary + ">";
      });
  module.def("list_plugins", &list_plugins, "Those of the tree and of loaded files.");
  module.def(
      "load_plugin_file", [](const std::filesystem::path& path) { load_plugin_file(path, known_plugins()); },
      py::arg("path"));
  module.def(
      "check_plan",
      [](const PruningPlan& plan, const Model& model, const std::vector<PruningGroup>& groups,
         const Budget& budget,
         const std::string& name) { check_plan(plan, model.graph, groups, budget, name); },
      py::arg("plan"), py::arg("model"), py::arg("groups"), py::arg("budget"), py::arg("name"),
      "Error of kind plugin unless the plan fits the graph and the budget.");
}

}  // namespace compress::python
