// How the library's values look in Python: ids are ints, tensors are numpy arrays.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/graph/graph.h"

// Groups stay in C++: copying every index list for each call would cost more than the call.
PYBIND11_MAKE_OPAQUE(std::vector<compress::PruningGroup>)

namespace compress::python {

/// A read-only view that keeps the tensor's bytes alive. float32.
pybind11::array array_of(const Tensor& tensor);

/// A float32 copy of any array of numbers.
Tensor tensor_of(const pybind11::array& array);

pybind11::dict arrays_of(const StateDict& weights);
StateDict tensors_of(const pybind11::dict& arrays);

}  // namespace compress::python

namespace pybind11::detail {

template <typename Id>
struct IdCaster {
  PYBIND11_TYPE_CASTER(Id, const_name("int"));

  bool load(handle source, bool convert) {
    make_caster<std::int32_t> number;
    if (!number.load(source, convert)) return false;
    value = Id{cast_op<std::int32_t>(number)};
    return true;
  }
  static handle cast(Id id, return_value_policy, handle) {
    return PyLong_FromLong(static_cast<std::int32_t>(id));
  }
};

template <>
struct type_caster<compress::ValueId> : IdCaster<compress::ValueId> {};
template <>
struct type_caster<compress::NodeId> : IdCaster<compress::NodeId> {};

}  // namespace pybind11::detail
