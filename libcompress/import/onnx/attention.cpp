#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

constexpr float kNever = std::numeric_limits<float>::lowest();  // added where nothing may be looked at

/// Keys or values with what came before them in front.
ValueId with_past(Call& call, std::size_t i, std::size_t past, const std::string& part) {
  if (!call.has(past)) return call.value(i);
  return call.emit("concat", {call.value(past), call.value(i)}, {{"axis", std::int64_t{2}}}, part);
}

/// kNever above the diagonal of [queries, keys].
Tensor causal_mask(const Call& call, std::int64_t queries, std::int64_t keys) {
  call.charge({queries, keys});
  auto mask = full({queries, keys}, 0.0f);
  const auto elements = mask.as<float>();
  for (std::int64_t row = 0; row < queries; ++row) {
    for (auto column = row + 1; column < keys; ++column)
      elements[static_cast<std::size_t>(row * keys + column)] = kNever;
  }
  return mask;
}

/// What is added to the products: input 3, or a causal mask.
std::optional<ValueId> bias(Call& call, const Shape& products) {
  if (call.integer("is_causal", 0) != 0) {
    if (call.has(3)) call.refuse("a mask beside is_causal", "one of them");
    return call.literal("causal", causal_mask(call, products[2], products[3]));
  }
  if (!call.has(3)) return std::nullopt;
  if (call.type(3) != ElementType::boolean) return call.value(3);
  call.charge(call.shape(3));
  const auto allowed = call.tensor(3).to_float32();
  return call.literal("mask", map_floats(allowed, [](float each) { return each != 0 ? 0.0f : kNever; }));
}

/// x bent into -limit .. limit.
ValueId capped(Call& call, ValueId value, double limit) {
  const auto part = with_number(call, "div", value, limit, "part");
  return with_number(call, "mul", call.emit("tanh", {part}, {}, "bent"), limit, "capped");
}

/// softmax(Q K^T scale + bias) V for [batch, heads, places, features]. Inputs of three axes are refused: how
/// they are cut into heads differs between releases of the standard. So is sharing keys between heads.
void attention(Call& call) {
  if (call.rank(0) != 4 || call.rank(1) != 4 || call.rank(2) != 4)
    call.refuse(fmt::format("queries of shape {}", to_string(call.shape(0))),
                "[batch, heads, places, features]", "reshape to heads before it when the model is exported");
  if (call.shape(0)[1] != call.shape(1)[1])
    call.refuse(fmt::format("{} heads of queries and {} of keys", call.shape(0)[1], call.shape(1)[1]),
                "as many");
  const auto keys = with_past(call, 1, 4, "keys"), values = with_past(call, 2, 5, "values");
  const auto scale = call.number("scale", 1.0 / std::sqrt(static_cast<double>(call.shape(0)[3])));
  const auto turned = permute(call, keys, {0, 1, 3, 2}, "turned");
  const auto products =
      with_number(call, "mul", call.emit("matmul", {call.value(0), turned}, {}, "products"), scale, "scaled");
  auto biased = products;
  if (const auto addend = bias(call, call.shape_of(products)))
    biased = call.emit("add", {products, *addend}, {}, "biased");
  const auto limit = call.number("softcap", 0.0);
  const auto bounded = limit > 0 ? capped(call, biased, limit) : biased;
  const auto weights = call.emit("softmax", {bounded}, {{"axis", std::int64_t{3}}}, "weights");
  call.define(0, call.emit("matmul", {weights, values}));
  if (call.wants(1)) call.define(1, keys);
  if (call.wants(2)) call.define(2, values);
  const auto mode = call.integer("qk_matmul_output_mode", 0);
  if (call.wants(3))
    call.define(3, mode == 0 ? products : mode == 1 ? biased : mode == 2 ? bounded : weights);
}

}  // namespace

std::vector<Operator> attention_operators() { return {{"Attention", attention}}; }

}  // namespace compress::onnx
