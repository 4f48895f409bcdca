#include "libcompress/export/onnx/lowering.h"

#include <algorithm>
#include <map>

namespace compress::onnx_export {
namespace {

using Table = std::map<std::string, Lower, std::less<>>;

Table make_table() {
  Table table;
  for (auto family : {elementwise_lowerings(), convolution_lowerings(), norm_lowerings(), pooling_lowerings(),
                      movement_lowerings()}) {
    for (auto& row : family) table.emplace(row.op, std::move(row.lower));
  }
  return table;
}

constexpr std::string_view kBatchName = "batch";

}  // namespace

Message declaration(std::string_view name, const ValueInfo& info, std::int64_t declared_batch) {
  std::vector<Dimension> dimensions(info.shape.begin(), info.shape.end());
  if (info.batch_axis >= 0) {
    const auto axis = static_cast<std::size_t>(info.batch_axis);
    dimensions[axis] = info.shape[axis] == declared_batch ? Dimension(std::string(kBatchName)) : Dimension();
  }
  return value_info_proto(name, info.dtype, dimensions);
}

ValueInfo permuted(const ValueInfo& info, const Integers& order) {
  ValueInfo result{{}, -1, info.dtype};
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.shape.push_back(info.shape[static_cast<std::size_t>(order[i])]);
    if (order[i] == info.batch_axis) result.batch_axis = static_cast<int>(i);
  }
  return result;
}

std::string GraphParts::fresh_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !names.insert(name).second; ++i) name = wanted + "." + std::to_string(i);
  return name;
}

std::vector<std::string> Lowering::inputs() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < input_count(); ++i) names.push_back(input(i));
  return names;
}

std::string Lowering::integers(std::string_view what, const Integers& values) {
  Tensor tensor(DType::int64, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.as<std::int64_t>().begin());
  const auto name = parts_.fresh_name(named(what));
  parts_.initializers.push_back(tensor_proto(name, tensor));
  return name;
}

std::string Lowering::numbers(std::string_view what, Shape shape, std::span<const float> values) {
  const auto name = parts_.fresh_name(named(what));
  parts_.initializers.push_back(tensor_proto(name, Tensor::of(std::move(shape), values)));
  return name;
}

std::string Lowering::filled(std::string_view what, Shape shape, float value) {
  const std::vector<float> values(static_cast<std::size_t>(element_count(shape)), value);
  return numbers(what, std::move(shape), values);
}

std::string Lowering::add(const std::string& op, std::string_view what, const ValueInfo& info,
                          const std::vector<std::string>& inputs, const AttributeList& attributes) {
  const auto name = parts_.fresh_name(named(what));
  parts_.declarations.push_back(declaration(name, info, batch_.declared));
  parts_.nodes.push_back(node_proto(op, name, inputs, name, attributes));
  return name;
}

void Lowering::finish(const std::string& op, const std::vector<std::string>& inputs,
                      const AttributeList& attributes) {
  parts_.nodes.push_back(node_proto(op, node_.name, inputs, graph_.value(node_.output).name, attributes));
}

const Lower* find_lowering(std::string_view op) {
  static const Table table = make_table();
  const auto found = table.find(op);
  return found == table.end() ? nullptr : &found->second;
}

Integers reshape_target(const Shape& shape, int batch_axis) {
  Integers target(shape.begin(), shape.end());
  if (batch_axis >= 0) target[static_cast<std::size_t>(batch_axis)] = -1;
  return target;
}

Integers along_all(const Integers& given, std::size_t axes, std::int64_t fallback) {
  return given.empty() ? Integers(axes, fallback) : given;
}

}  // namespace compress::onnx_export
