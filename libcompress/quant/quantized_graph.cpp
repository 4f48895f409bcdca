#include "libcompress/quant/quantized_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "libcompress/base/error.h"
#include "libcompress/quant/fixed_point.h"

namespace compress {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>  // clang 14, which builds the fuzz targets, does not deduce it
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string text_of(const Window& w) {
  auto text = fmt::format("kernel={}x{} stride={}x{}", w.kernel[0], w.kernel[1], w.stride[0], w.stride[1]);
  if (w.pad_begin[0] || w.pad_begin[1] || w.pad_end[0] || w.pad_end[1])
    text += fmt::format(" pad={},{},{},{}", w.pad_begin[0], w.pad_begin[1], w.pad_end[0], w.pad_end[1]);
  if (w.dilation[0] != 1 || w.dilation[1] != 1)
    text += fmt::format(" dilation={}x{}", w.dilation[0], w.dilation[1]);
  return text;
}

std::string clamp_text(std::int32_t low, std::int32_t high) {
  const LevelRange clamp{low, high};
  if (clamp == levels_of(DType::int8) || clamp == levels_of(DType::int16)) return "";
  return fmt::format(" clamp={}..{}", low, high);
}

std::string settings_of(const QOp& op) {
  return std::visit(
      Overloaded{
          [](const QConv& o) {
            return text_of(o.window) + (o.groups == 1 ? "" : fmt::format(" groups={}", o.groups)) +
                   clamp_text(o.clamp_min, o.clamp_max);
          },
          [](const QLinear& o) { return clamp_text(o.clamp_min, o.clamp_max); },
          [](const QMaxPool& o) { return text_of(o.window) + clamp_text(o.clamp_min, o.clamp_max); },
          [](const QAvgPool& o) { return text_of(o.window) + clamp_text(o.clamp_min, o.clamp_max); },
          [](const QAdd& o) {
            return std::string(o.subtract ? "minus" : "") + clamp_text(o.clamp_min, o.clamp_max);
          },
          [](const QConcat& o) { return fmt::format("axis={}", o.axis); },
          [](const QTranspose& o) { return fmt::format("order=[{}]", fmt::join(o.order, ", ")); },
          [](const QReshape&) { return std::string(); },
          [](const QSoftmax&) { return std::string(); },
          [](const QRequantize& o) { return clamp_text(o.clamp_min, o.clamp_max); },
          [](const QMul& o) { return clamp_text(o.clamp_min, o.clamp_max); },
          [](const QMean& o) { return fmt::format("axes={}..{}", o.first_axis, o.last_axis); },
          [](const QPad& o) {
            return fmt::format("begin=[{}] end=[{}] level={}", fmt::join(o.begin, ", "),
                               fmt::join(o.end, ", "), o.level);
          },
          [](const QTable& o) { return o.function; },
          [](const QSlice& o) {
            return fmt::format("begin=[{}] step=[{}]", fmt::join(o.begin, ", "), fmt::join(o.step, ", "));
          },
          [](const QResize& o) {
            return std::string(o.align_corners ? "align_corners" : o.half_pixel ? "half_pixel" : "");
          },
      },
      op);
}

}  // namespace

std::string_view name_of(const QOp& op) {
  constexpr std::string_view kNames[] = {"conv",      "linear",  "max_pool", "avg_pool",   "add", "concat",
                                         "transpose", "reshape", "softmax",  "requantize", "mul", "mean",
                                         "pad",       "table",   "slice",    "resize"};
  static_assert(std::size(kNames) == std::variant_size_v<QOp>);
  return kNames[op.index()];
}

bool has_int16_form(const QOp& op) {
  return std::visit([](const auto& o) { return takes_int16<std::remove_cvref_t<decltype(o)>>; }, op);
}

std::string to_text(const QuantizedGraph& graph) {
  std::string text = fmt::format("{}: {} nodes, {} MACs, {} bytes of constants, profile {}\n", graph.name,
                                 graph.nodes.size(), macs_of(graph), constant_bytes_of(graph), graph.profile);
  const auto describe = [&](QValueId id) {
    const auto& value = graph.value(id);
    const auto dtype = value.dtype == DType::int8 ? "" : std::string(name_of(value.dtype)) + " ";
    return fmt::format("{}{} scale={} zero={}", dtype, to_string(value.shape), value.scale, value.zero_point);
  };
  for (const auto id : graph.inputs)
    text += fmt::format("{}: input -> {}\n", graph.value(id).name, describe(id));
  for (const auto& node : graph.nodes) {
    std::vector<std::string> names;
    for (const auto id : node.inputs) names.push_back(graph.value(id).name);
    auto settings = settings_of(node.op);
    if (!settings.empty() && settings.front() != ' ') settings.insert(settings.begin(), ' ');
    text += fmt::format("{}: {}({}){} -> {}\n", node.name, name_of(node.op), fmt::join(names, ", "), settings,
                        describe(node.output));
  }
  return text;
}

std::int64_t macs_of(const QuantizedGraph& graph, const QNode& node) {
  const auto output = element_count(graph.value(node.output).shape);
  if (!std::holds_alternative<QConv>(node.op) && !std::holds_alternative<QLinear>(node.op)) return 0;
  const auto& weight = graph.value(node.inputs[1]).shape;
  return output * (element_count(weight) / weight[0]);
}

std::int64_t macs_of(const QuantizedGraph& graph) {
  std::int64_t total = 0;
  for (const auto& node : graph.nodes) total += macs_of(graph, node);
  return total;
}

std::int64_t constant_bytes_of(const QuantizedGraph& graph) {
  std::int64_t total = 0;
  for (const auto& value : graph.values) {
    if (!value.constant.empty()) total += static_cast<std::int64_t>(value.constant.byte_count());
  }
  return total;
}

Requantization to_requantization(double factor) {
  if (!std::isfinite(factor) || factor < 0 || factor >= 0x1p31) {
    throw Error(ErrorKind::input, {"requantization", fmt::format("a factor of {}", factor), "0 to below 2^31",
                                   "calibrate with inputs that drive every layer"});
  }
  int exponent = 0;
  const double fraction = std::frexp(factor, &exponent);
  auto multiplier = static_cast<std::int64_t>(std::round(fraction * 0x1p31));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  if (exponent < -31 || multiplier == 0) return {0, 0};
  return {static_cast<std::int32_t>(multiplier), exponent};
}

std::int32_t requantize(std::int32_t value, const Requantization& by) {
  const auto shifted = fixed_point::saturating_shift_left(value, std::max(by.shift, 0));
  return fixed_point::rounding_shift_right(fixed_point::doubling_high_multiply(shifted, by.multiplier),
                                           std::max(-by.shift, 0));
}

std::int32_t requantize_once(std::int64_t value, const Requantization& by) {
  const int shift = 31 - by.shift;
  const std::int64_t product = value * by.multiplier;
  const std::int64_t rounded = (product + (std::int64_t{1} << (shift - 1))) >> shift;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(rounded, INT32_MIN, INT32_MAX));
}

std::int32_t requantize_wide(std::int64_t value, const Requantization& by) {
  constexpr std::int32_t kLargestHalf = 0x7FFF;
  const std::int64_t half =
      by.multiplier < kLargestHalf << 16 ? (by.multiplier + (1 << 15)) >> 16 : kLargestHalf;
  const int shift = 15 - by.shift;
  return static_cast<std::int32_t>((value * half + (std::int64_t{1} << (shift - 1))) >> shift);
}

bool linear_rounds_once(const QuantizedGraph& graph) { return graph.profile == "litert"; }

double weight_factor(const QValue& input, const QValue& weight, std::size_t channel, const QValue& output) {
  const float scale = weight.channel_scales.empty() ? weight.scale : weight.channel_scales[channel];
  return static_cast<double>(input.scale) * static_cast<double>(scale) / static_cast<double>(output.scale);
}

std::int32_t clamp_level(const QValue& output, float real) {
  const auto [lowest, highest] = levels_of(output.dtype);
  const auto most = static_cast<float>(highest - lowest + 1);
  const float steps = std::clamp(std::round(real / output.scale), -most, most);
  return std::clamp(output.zero_point + static_cast<std::int32_t>(steps), lowest, highest);
}

LevelRange levels_of(DType dtype) {
  return dtype == DType::int16 ? LevelRange{-32768, 32767} : LevelRange{-128, 127};
}

QAdd add_for(const QValue& left, const QValue& right, const QValue& output) {
  QAdd add;
  if (output.dtype == DType::int16) add.left_shift = 15;
  add.clamp_min = levels_of(output.dtype).lowest, add.clamp_max = levels_of(output.dtype).highest;
  const double twice_larger = 2 * static_cast<double>(std::max(left.scale, right.scale));
  add.left = to_requantization(static_cast<double>(left.scale) / twice_larger);
  add.right = to_requantization(static_cast<double>(right.scale) / twice_larger);
  add.output =
      to_requantization(twice_larger / (std::ldexp(1.0, add.left_shift) * static_cast<double>(output.scale)));
  return add;
}

QMul mul_for(const QValue& left, const QValue& right, const QValue& output, const std::string& profile) {
  const double wide =
      static_cast<double>(left.scale) * static_cast<double>(right.scale) / static_cast<double>(output.scale);
  const auto narrow = static_cast<double>(left.scale * right.scale / output.scale);
  return {to_requantization(profile == "litert" ? narrow : wide)};
}

Requantization mean_factor(const QValue& input, const QValue& output, std::int64_t count) {
  auto factor = to_requantization(static_cast<double>(input.scale) / static_cast<double>(output.scale));
  const int bits = std::bit_width(static_cast<std::uint64_t>(count)) - 1;
  const int shift = std::min({bits, 32, 31 + factor.shift});
  factor.multiplier =
      static_cast<std::int32_t>((static_cast<std::int64_t>(factor.multiplier) << shift) / count);
  factor.shift -= shift;
  return factor;
}

Shape broadcast_of(const Shape& left, const Shape& right) {
  if (left.size() != right.size()) return {};
  Shape shape;
  for (std::size_t axis = 0; axis < left.size(); ++axis) {
    if (left[axis] != right[axis] && left[axis] != 1 && right[axis] != 1) return {};
    shape.push_back(std::max(left[axis], right[axis]));
  }
  return shape;
}

std::vector<std::int64_t> broadcast_strides(const Shape& operand, const Shape& output) {
  std::vector<std::int64_t> strides(output.size());
  std::int64_t step = 1;
  for (std::size_t axis = output.size(); axis-- > 0;) {
    strides[axis] = operand[axis] == 1 ? 0 : step;
    step *= operand[axis];
  }
  return strides;
}

MeanExtents extents_of(const QMean& mean, const Shape& input) {
  const auto first = input.begin() + mean.first_axis, end = input.begin() + mean.last_axis + 1;
  return {element_count({input.begin(), first}), element_count({first, end}),
          element_count({end, input.end()})};
}

std::vector<std::int64_t> sources_of(const QResize& resize, std::int64_t inputs, std::int64_t outputs) {
  const bool aligns = resize.align_corners && outputs > 1;
  const float scale =
      static_cast<float>(aligns ? inputs - 1 : inputs) / static_cast<float>(aligns ? outputs - 1 : outputs);
  std::vector<std::int64_t> sources;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const float place = (static_cast<float>(i) + (resize.half_pixel ? 0.5f : 0.0f)) * scale;
    const float nearest = resize.align_corners ? std::round(place) : std::floor(place);
    sources.push_back(std::min(static_cast<std::int64_t>(nearest), inputs - 1));
  }
  return sources;
}

QSoftmax softmax_for(const QValue& input) {
  constexpr int kIntegerBits = 5;
  QSoftmax softmax;
  softmax.input = to_requantization(std::min(static_cast<double>(input.scale) * 0x1p26, 0x1p31 - 1));
  const double radius = 31.0 * static_cast<double>(std::int64_t{1} << (31 - kIntegerBits)) /
                        std::ldexp(1.0, std::max(softmax.input.shift, 0));
  softmax.diff_min = -static_cast<std::int32_t>(std::floor(radius));
  return softmax;
}

}  // namespace compress
