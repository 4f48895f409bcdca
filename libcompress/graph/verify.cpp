#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "libcompress/base/error.h"
#include "libcompress/base/vector_width.h"
#include "libcompress/graph/graph.h"
#include "libcompress/graph/op.h"

namespace compress {
namespace {

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed) {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), ""});
}

/// By exponents, in blocks that compilers vectorize: this runs over every weight of every network.
COMPRESS_BY_VECTOR_WIDTH
bool all_finite(std::span<const float> elements) {
  constexpr std::uint32_t kExponent = 0x7f800000u;
  constexpr std::size_t kBlock = 256;
  const auto unbounded = [](float x) { return (std::bit_cast<std::uint32_t>(x) & kExponent) == kExponent; };
  std::size_t i = 0;
  for (; i + kBlock <= elements.size(); i += kBlock) {
    std::uint32_t found = 0;
    for (std::size_t k = 0; k < kBlock; ++k) found |= static_cast<std::uint32_t>(unbounded(elements[i + k]));
    if (found) return false;
  }
  return std::none_of(elements.begin() + static_cast<std::ptrdiff_t>(i), elements.end(), unbounded);
}

}  // namespace

void verify(const Graph& graph) {
  if (graph.outputs().empty()) refuse("graph", "no output", "at least one");
  if (graph.inputs().empty()) refuse("graph", "no input", "at least one");
  if (graph.topological_order().size() != graph.nodes().size())
    refuse("graph", "a cycle", "an acyclic graph");
  for (const auto& node : graph.nodes()) {
    const auto shapes = graph.input_shapes(node);
    const Shape expected = find_op(node.op, node.name).shape({node.name, node.attributes, shapes});
    const Shape& stated = graph.value(node.output).shape;
    if (stated != expected)
      refuse(fmt::format("node '{}'", node.name), "output shape " + to_string(stated), to_string(expected));
  }
}

void verify_weight(const Value& value, const StateDict& weights) {
  const auto where = fmt::format("tensor '{}'", value.name);
  const auto found = weights.find(value.name);
  if (found == weights.end())
    refuse(where, "no weight", fmt::format("one of shape {}", to_string(value.shape)));
  const Tensor& tensor = found->second;
  if (tensor.dtype() != DType::float32 || tensor.shape() != value.shape)
    refuse(where, fmt::format("{} {}", name_of(tensor.dtype()), to_string(tensor.shape())),
           fmt::format("float32 {}", to_string(value.shape)));
  const auto elements = tensor.as<float>();
  if (all_finite(elements)) return;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!std::isfinite(elements[i]))
      refuse(where, fmt::format("{} at element {}", elements[i], i), "finite numbers");
  }
}

void verify(const Model& model) {
  verify(model.graph);
  const auto parameters = model.graph.parameters();
  for (const auto id : parameters) verify_weight(model.graph.value(id), model.weights);
  for (const auto& [name, tensor] : model.weights) {
    const auto id = model.graph.find_value(name);
    if (!id || (model.graph.value(*id).kind != ValueKind::parameter &&
                model.graph.value(*id).kind != ValueKind::buffer))
      refuse(fmt::format("tensor '{}'", name), "a weight that no node uses", "the graph's own parameters");
  }
}

}  // namespace compress
