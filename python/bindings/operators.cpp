#include <pybind11/stl.h>

#include "libcompress/graph/op.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"

namespace py = pybind11;

namespace compress::python {

void bind_operators(py::module_& module) {
  py::class_<OperandSpec>(module, "Operand", "What an operator reads at one position.")
      .def_readonly("name", &OperandSpec::name)
      .def_readonly("optional", &OperandSpec::optional)
      .def_readonly("variadic", &OperandSpec::variadic, "the last operand only: one or more");

  py::class_<AttributeSpec>(module, "OperatorAttribute", "One setting of an operator.")
      .def_readonly("name", &AttributeSpec::name)
      .def_readonly("fallback", &AttributeSpec::fallback, "its type is the attribute's type")
      .def_readonly("required", &AttributeSpec::required)
      .def_readonly("help", &AttributeSpec::help);

  py::class_<Op>(module, "Operator", "A row of the op table.")
      .def_readonly("name", &Op::name)
      .def_readonly("summary", &Op::summary)
      .def_readonly("pruning", &Op::pruning, "what becomes of the axes that reach it")
      .def_readonly("operands", &Op::operands)
      .def_readonly("attributes", &Op::attributes)
      .def("__repr__", [](const Op& op) { return "<Operator " + op.name + ": " + op.summary + ">"; });

  module.def(
      "operators",
      [] {
        const auto ops = all_ops();
        return std::vector<Op>(ops.begin(), ops.end());
      },
      "All rows of the op table, by name.");
}

}  // namespace compress::python
