#include "libcompress/graph/graph.h"

#include <pybind11/native_enum.h>

#include <map>

#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {
namespace {

ValueId add_node(Graph& graph, std::string op, std::string name, std::vector<ValueId> inputs,
                 const std::map<std::string, Attribute>& given) {
  Attributes attributes;
  for (const auto& [key, value] : given) attributes.set(key, value);
  return graph.add_node(std::move(op), std::move(name), std::move(inputs), std::move(attributes));
}

void bind_values(py::module_& module) {
  py::native_enum<ValueKind>(module, "ValueKind", "enum.Enum", "What a value is.")
      .value("input", ValueKind::input)
      .value("parameter", ValueKind::parameter)
      .value("buffer", ValueKind::buffer)
      .value("activation", ValueKind::activation)
      .finalize();

  py::class_<Value>(module, "Value", "Anything that a node reads or makes.")
      .def_readonly("id", &Value::id)
      .def_readonly("name", &Value::name)
      .def_readonly("kind", &Value::kind)
      .def_property_readonly("shape", [](const Value& value) { return py::tuple(py::cast(value.shape)); })
      .def_readonly("producer", &Value::producer, "id of the node that makes it, or None")
      .def("__repr__",
           [](const Value& value) { return "<Value " + value.name + " " + to_string(value.shape) + ">"; });
}

void bind_nodes(py::module_& module) {
  py::class_<Node>(module, "Node", "One operator at work.")
      .def_readonly("id", &Node::id)
      .def_readonly("name", &Node::name)
      .def_readonly("op", &Node::op)
      .def_readonly("inputs", &Node::inputs, "ids of values, in the order of the operator's operands")
      .def_readonly("output", &Node::output)
      .def_property_readonly("attributes",
                             [](const Node& node) {
                               return std::map<std::string, Attribute>(node.attributes.items().begin(),
                                                                       node.attributes.items().end());
                             })
      .def("__repr__", [](const Node& node) { return "<Node " + node.name + ": " + node.op + ">"; });
}

}  // namespace

void bind_graph(py::module_& module) {
  bind_values(module);
  bind_nodes(module);
  py::class_<Graph>(module, "Graph", "Nodes, values, shapes and names of a network, without weights.")
      .def(py::init<>())
      .def(py::init<const Graph&>(), "A copy.")
      .def(
          "add_input",
          [](Graph& graph, std::string name, Shape shape) { return graph.add_input(name, shape); },
          py::arg("name"), py::arg("shape"), "Dimension 0 is the batch. Returns the value's id.")
      .def("add_parameter", &Graph::add_parameter, py::arg("name"), py::arg("shape"))
      .def("add_buffer", &Graph::add_buffer, py::arg("name"), py::arg("shape"))
      .def("add_node", &add_node, py::arg("op"), py::arg("name"), py::arg("inputs"),
           py::arg("attributes") = std::map<std::string, Attribute>(),
           "The output's id; it takes the node's name. Error where the op table does not allow it.")
      .def("set_outputs", &Graph::set_outputs, py::arg("outputs"))
      .def("value", &Graph::value, py::arg("id"), py::return_value_policy::copy)
      .def("node", &Graph::node, py::arg("id"), py::return_value_policy::copy)
      .def_property_readonly("values", &Graph::values, py::return_value_policy::copy)
      .def_property_readonly("nodes", &Graph::nodes, py::return_value_policy::copy)
      .def_property_readonly("inputs", &Graph::inputs)
      .def_property_readonly("outputs", &Graph::outputs)
      .def_property_readonly("parameters", &Graph::parameters, "ids of parameters and buffers")
      .def("find_value", &Graph::find_value, py::arg("name"), "id or None")
      .def("find_node", &Graph::find_node, py::arg("name"), "id or None")
      .def("topological_order", &Graph::topological_order)
      .def("verify", py::overload_cast<const Graph&>(&verify), "Error for the first invariant that fails.")
      .def("to_text", py::overload_cast<const Graph&>(&to_text), "One line a node.")
      .def("to_dot", &to_dot, "For Graphviz.")
      .def("to_json", &graph_to_json)
      .def_static(
          "from_json", [](const std::string& text) { return graph_from_json(text, "graph"); },
          py::arg("text"))
      .def("fingerprint", &fingerprint)
      .def("__repr__", [](const Graph& graph) {
        return "<Graph of " + std::to_string(graph.nodes().size()) + " nodes>";
      });
}

}  // namespace compress::python
