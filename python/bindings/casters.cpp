#include "python/bindings/casters.h"

#include <algorithm>
#include <memory>

#include "libcompress/base/error.h"

namespace py = pybind11;

namespace compress::python {

py::array array_of(const Tensor& tensor) {
  const Tensor values = tensor.to_float32();  // shares the bytes of a float32 tensor
  auto owner = std::make_unique<std::shared_ptr<std::byte[]>>(values.storage());
  const auto* data = reinterpret_cast<const float*>(owner->get());
  const py::capsule keeper(owner.release(),
                           [](void* held) { delete static_cast<std::shared_ptr<std::byte[]>*>(held); });
  py::array_t<float> array(values.shape(), data, keeper);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

Tensor tensor_of(const py::array& array) {
  const auto dense = py::array_t<float, py::array::c_style | py::array::forcecast>::ensure(array);
  if (!dense) {
    PyErr_Clear();
    throw Error(ErrorKind::input, {"array", "elements that are no numbers", "an array of numbers", ""});
  }
  Tensor tensor(DType::float32, Shape(dense.shape(), dense.shape() + dense.ndim()));
  std::copy_n(dense.data(), dense.size(), tensor.as<float>().data());
  return tensor;
}

py::dict arrays_of(const StateDict& weights) {
  py::dict arrays;
  for (const auto& [name, tensor] : weights) arrays[py::str(name)] = array_of(tensor);
  return arrays;
}

StateDict tensors_of(const py::dict& arrays) {
  StateDict weights;
  for (const auto& [name, array] : arrays)
    weights[name.cast<std::string>()] = tensor_of(py::array::ensure(array));
  return weights;
}

}  // namespace compress::python
