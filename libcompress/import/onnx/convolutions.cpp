#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

using Values = std::vector<ValueId>;

/// kernel_shape, or the extents of the weight, with which it must agree.
Integers kernel_of(const Call& call) {
  const auto& weight = call.shape(1);
  if (weight.size() < 3)
    call.refuse("weight of shape " + to_string(weight), "two axes of channels and a kernel");
  const Integers kernel(weight.begin() + 2, weight.end());
  if (call.integers("kernel_shape", kernel) != kernel)
    call.refuse("a kernel_shape unlike the weight's", to_string(kernel));
  return kernel;
}

Values with_bias(const Call& call) {
  Values inputs{call.value(0), call.weight(1)};
  if (call.has(2)) inputs.push_back(call.weight(2));
  return inputs;
}

void conv(Call& call) {
  const auto window = window_of(call, call.shape(0), kernel_of(call));
  call.define(0, call.emit("conv", with_bias(call),
                           {{"stride", window.stride},
                            {"padding", window.padding()},
                            {"dilation", window.dilation},
                            {"groups", call.integer("group", 1)}}));
}

bool is_small(std::int64_t number) { return number >= 0 && number < (std::int64_t{1} << 31); }

/// Where the output's extents are given, the padding follows from them. What no padding gives is left over as
/// output_padding.
void pad_to_output(const Call& call, Window& window, Integers& extra) {
  const auto automatic = call.text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  auto wanted = call.integers("output_shape");
  const auto spatial = window.kernel.size();
  if (wanted.size() == spatial + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (wanted.empty() && !same) return;
  if (!wanted.empty() && (wanted.size() != spatial || !std::all_of(wanted.begin(), wanted.end(), is_small)))
    call.refuse("output_shape " + to_string(wanted), fmt::format("{} small extents", spatial));
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto extent = call.shape(0)[i + 2];
    const auto outputs = wanted.empty() ? extent * window.stride[i] : wanted[i];
    const auto full = checked_mul(extent - 1, window.stride[i], call.where()) +
                      (window.kernel[i] - 1) * window.dilation[i] + 1 + extra[i];
    const auto total = std::max<std::int64_t>(full - outputs, 0);
    extra[i] += std::max<std::int64_t>(outputs - full, 0);
    window.begin[i] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
  }
}

void conv_transpose(Call& call) {
  auto window = window_of(call, call.shape(0), kernel_of(call));
  auto extra = call.integers("output_padding", Integers(window.kernel.size(), 0));
  if (extra.size() != window.kernel.size() || !std::all_of(extra.begin(), extra.end(), is_small))
    call.refuse("output_padding " + to_string(extra), fmt::format("{} small numbers", window.kernel.size()));
  pad_to_output(call, window, extra);
  call.define(0, call.emit("conv_transpose", with_bias(call),
                           {{"stride", window.stride},
                            {"padding", window.padding()},
                            {"output_padding", extra},
                            {"dilation", window.dilation},
                            {"groups", call.integer("group", 1)}}));
}

/// Input `i` of a matrix product as a weight [outputs, inputs]: transposed if it lies the other way.
ValueId linear_weight(Call& call, std::size_t i, bool lies_so, double factor) {
  if (!call.is_constant(i)) {
    auto weight = lies_so ? call.value(i) : permute(call, call.value(i), {1, 0}, "transposed");
    return factor == 1 ? weight : with_number(call, "mul", weight, factor, "scaled");
  }
  if (lies_so && factor == 1) return call.weight(i);
  call.charge(call.shape(i));
  auto tensor = call.tensor(i).to_float32();
  if (!lies_so) tensor = permuted(tensor, {1, 0});
  if (factor != 1) tensor = map_floats(tensor, [&](float x) { return static_cast<float>(x * factor); });
  return call.weight(i, fmt::format("{}{}", lies_so ? "" : "transposed ", factor), std::move(tensor));
}

/// [O] if input `i` is a constant that is the same for every row.
std::optional<ValueId> row_bias(const Call& call, std::size_t i, std::int64_t outputs, double factor) {
  const auto& shape = call.shape(i);
  if (!call.is_constant(i) || shape.size() > 2 || (shape.size() == 2 && shape[0] != 1)) return std::nullopt;
  if (!broadcast(shape, {1, outputs}) || element_count(shape) > outputs) return std::nullopt;
  if (factor == 1 && shape == Shape{outputs}) return call.weight(i);
  call.charge({outputs});
  const auto row =
      reshaped(expanded(call.tensor(i).to_float32(), shape.size() == 2 ? Shape{1, outputs} : Shape{outputs}),
               {outputs});
  return call.weight(i, fmt::format("row {}", factor),
                     map_floats(row, [&](float x) { return static_cast<float>(x * factor); }));
}

void gemm(Call& call) {
  if (call.rank(0) != 2 || call.rank(1) != 2) call.refuse("inputs that are no matrices", "two axes each");
  const bool turned = call.integer("transB", 0) != 0;
  const auto alpha = call.number("alpha", 1.0), beta = call.number("beta", 1.0);
  const auto outputs = call.shape(1)[turned ? 0 : 1];
  auto input = call.value(0);
  if (call.integer("transA", 0) != 0) input = permute(call, input, {1, 0}, "rows");
  Values inputs{input, linear_weight(call, 1, turned, alpha)};
  const bool has_bias = call.has(2) && beta != 0;
  const auto bias = has_bias ? row_bias(call, 2, outputs, beta) : std::nullopt;
  if (bias) inputs.push_back(*bias);
  if (!has_bias || bias) {
    call.define(0, call.emit("linear", inputs));
    return;
  }
  const auto product = call.emit("linear", inputs, {}, "product");
  auto addend = call.value(2);
  if (beta != 1) addend = with_number(call, "mul", addend, beta, "bias");
  call.define(0, call.emit("add", {product, addend}));
}

/// Numpy's product: an operand of one axis gets a second, which the result loses again.
void matmul(Call& call) {
  const bool is_row = call.rank(0) == 1, is_column = call.rank(1) == 1;
  if (call.rank(0) == 0 || call.rank(1) == 0) call.refuse("a scalar", "at least one axis");
  auto a = call.value(0);
  if (is_row) a = reshape(call, a, {1, call.shape(0)[0]}, "row");
  const std::string part = is_row || is_column ? "product" : "";
  ValueId result{};
  if (call.rank(1) == 2 && call.is_constant(1) && !call.is_constant(0)) {
    result = call.emit("linear", {a, linear_weight(call, 1, false, 1)}, {}, part);
  } else {
    auto b = call.value(1);
    if (is_column) b = reshape(call, b, {call.shape(1)[0], 1}, "column");
    result = call.emit("matmul", {a, b}, {}, part);
  }
  auto shape = call.shape_of(result);
  if (is_column) shape.pop_back();
  if (is_row) shape.erase(shape.end() - (is_column ? 1 : 2));
  call.define(0, reshape(call, result, shape, ""));
}

}  // namespace

std::vector<Operator> convolution_operators() {
  return {{"Conv", conv}, {"ConvTranspose", conv_transpose}, {"Gemm", gemm}, {"MatMul", matmul}};
}

}  // namespace compress::onnx
