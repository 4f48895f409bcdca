#include "libcompress/base/error.h"

#include "python/bindings/bindings.h"

namespace py = pybind11;

namespace compress::python {
namespace {

/// The Python class, for the life of the interpreter.
py::object& error_class() {
  static py::object* const held = new py::object;
  return *held;
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const Error& error) {
    py::object raised = error_class()(py::str(error.what()));
    raised.attr("kind") = name_of(error.kind());
    PyErr_SetObject(error_class().ptr(), raised.ptr());
  }
}

}  // namespace

void bind_error(py::module_& module) {
  error_class() = py::reinterpret_steal<py::object>(PyErr_NewExceptionWithDoc(
      "libcompress.Error",
      "A mistake that the caller can mend: where, what was found, what is allowed.\n\n"
      "`kind` is one of usage, recipe, input, budget, accuracy, io, plugin, "
      "interrupted.",
      PyExc_ValueError, nullptr));
  error_class().attr("kind") = "usage";
  module.attr("Error") = error_class();
  py::register_exception_translator(translate);
}

}  // namespace compress::python
