// Operators that multiply with weights.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/import/tflite/operators.h"
#include "libcompress/import/tflite/window.h"

namespace compress::tflite {
namespace {

/// [N, H, W, C] as [N, C, H, W].
ValueId image(const Call& call, std::size_t i) {
  if (call.rank(i) != 4) call.refuse("input of shape " + to_string(call.shape(i)), "[N, H, W, C]");
  return call.ordered(i, channels_first(4));
}

/// The bias in input `i` behind the other operands, if there is one.
void add_bias(const Call& call, std::size_t i, std::vector<ValueId>& operands) {
  if (call.has(i)) operands.push_back(call.weight(i, "itself", "bias", call.tensor(i)));
}

View channels_second(ValueId value) { return {value, channels_first(4)}; }

/// What tells one convolution of the schema from the other.
struct Form {
  const char* order;         ///< of the weight's axes, as the names of what is made of it have it
  bool is_depthwise;         ///< as many groups as channels; else what the weight leaves
  std::uint16_t activation;  ///< its field in the settings
  std::uint16_t dilation;    ///< that of its width
};

/// `weight`: [O, I, kernel height, kernel width].
void convolution(const Call& call, const Tensor& weight, const Form& form) {
  const auto& kernel = weight.shape();
  const auto window = window_of(call, {kernel[2], kernel[3]}, form.dilation);
  const auto channels = call.shape(0).back();
  const auto groups = form.is_depthwise ? channels : kernel[1] < 1 ? 0 : channels / kernel[1];
  std::vector<ValueId> operands = {image(call, 0), call.weight(1, form.order, "weight", weight)};
  add_bias(call, 2, operands);
  const auto result = call.emit("conv", operands,
                                {{"stride", window.stride},
                                 {"padding", window.padding()},
                                 {"dilation", window.dilation},
                                 {"groups", groups}});
  call.define_activated(channels_second(result), call.options().byte(form.activation));
}

/// Weight [O, kernel height, kernel width, I].
void conv(const Call& call) { convolution(call, permuted(call, 1, {0, 3, 1, 2}), {"OIHW", false, 3, 4}); }

/// Weight [1, kernel height, kernel width, C * multiplier].
void depthwise_conv(const Call& call) {
  convolution(call, permuted(call, 1, {3, 0, 1, 2}), {"C1HW", true, 4, 5});
}

/// Inputs: the output's shape, weight [O, kernel height, kernel width, I], input, bias.
void transpose_conv(const Call& call) {
  constexpr std::uint16_t kActivation = 3;
  const auto weight = permuted(call, 1, {3, 0, 1, 2});
  const auto wanted = call.integers(0);
  if (wanted.size() != 4) call.refuse("an output shape " + to_string(wanted), "[N, H, W, C]");
  const auto input = call.shape(2);
  const auto source = image(call, 2);
  const auto& options = call.options();
  const auto stride = stride_of(call);
  for (const auto step : stride) positive(call, step, "stride");
  Integers padding(4, 0), extra(2, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto extent = positive(call, wanted[i + 1], "extent"), kernel = weight.shape()[i + 2];
    // SAME and VALID are those of the convolution that goes the other way.
    const auto total = ((extent + stride[i] - 1) / stride[i] - 1) * stride[i] + kernel - extent;
    padding[i] = options.byte(kWindowPadding) == 0 ? std::max<std::int64_t>(total, 0) / 2 : 0;
    const auto rest = (input[i + 1] - 1) * stride[i] + kernel - padding[i] - extent;
    padding[i + 2] = std::max<std::int64_t>(rest, 0);
    extra[i] = std::max<std::int64_t>(-rest, 0);
  }
  std::vector<ValueId> operands = {source, call.weight(1, "IOHW", "weight", weight)};
  add_bias(call, 3, operands);
  const auto result = call.emit("conv_transpose", operands,
                                {{"stride", stride}, {"padding", padding}, {"output_padding", extra}});
  call.define_activated(channels_second(result), options.byte(kActivation));
}

/// The input as rows of features, [..., I].
View rows_of(const Call& call, std::int64_t features, bool keeps_axes) {
  const auto input = call.view(0);
  const auto shape = call.shape_of(input);
  if (shape.empty() || features < 1 || element_count(shape) % features != 0)
    call.refuse("input of shape " + to_string(shape), fmt::format("rows of {} features", features));
  const bool has_rows = shape.size() >= 2 && shape.back() == features;
  if (has_rows && (keeps_axes || shape.size() == 2)) return input;
  return call.reshaped(input, {element_count(shape) / features, features}, "rows");
}

/// Weight [O, I]. Without keep_num_dims all axes but the features become one.
void fully_connected(const Call& call) {
  constexpr std::uint16_t kActivation = 0, kFormat = 1, kKeepsAxes = 2;
  const auto& options = call.options();
  if (options.byte(kFormat) != 0) call.refuse("shuffled weights", "the default format");
  const auto weight_shape = call.shape(1);
  if (weight_shape.size() != 2) call.refuse("weight " + to_string(weight_shape), "[O, I]");
  const auto rows = rows_of(call, weight_shape[1], options.boolean(kKeepsAxes));
  const auto axes = file_order(rows.axes.size());
  std::vector<ValueId> operands = {call.order(rows, axes)};
  operands.push_back(call.is_constant(1) ? call.weight(1, "itself", "weight", call.tensor(1))
                                         : call.ordered(1, file_order(2)));
  add_bias(call, 2, operands);
  call.define_activated({call.emit("linear", operands), axes}, options.byte(kActivation));
}

View transposed_matrix(View view) {
  std::swap(view.axes[view.axes.size() - 1], view.axes[view.axes.size() - 2]);
  return view;
}

void batch_matmul(const Call& call) {
  constexpr std::uint16_t kTransposesA = 0, kTransposesB = 1;
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < 2; ++i) {
    if (call.rank(i) < 2) call.refuse("input of shape " + to_string(call.shape(i)), "two axes or more");
    auto view = call.view(i);
    if (call.options().boolean(i == 0 ? kTransposesA : kTransposesB)) view = transposed_matrix(view);
    operands.push_back(call.order(view, file_order(view.axes.size())));
  }
  const auto axes = file_order(std::max(call.rank(0), call.rank(1)));
  call.define(0, View{call.emit("matmul", operands), axes});
}

}  // namespace

std::vector<Operator> convolution_operators() {
  return {{"CONV_2D", conv},
          {"DEPTHWISE_CONV_2D", depthwise_conv},
          {"TRANSPOSE_CONV", transpose_conv},
          {"FULLY_CONNECTED", fully_connected},
          {"BATCH_MATMUL", batch_matmul}};
}

}  // namespace compress::tflite
