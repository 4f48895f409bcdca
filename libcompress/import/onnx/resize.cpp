// Resize and Upsample. What our own resize cannot say (scales that do not give whole extents, antialiasing,
// crops, any axis) is done one axis after the other: nearest neighbours as a gather, everything else as the
// matrix that it is.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

/// What the node says, with its defaults.
struct Settings {
  std::string mode;         ///< nearest, linear, cubic
  std::string coordinates;  ///< half_pixel, ...
  std::string rounding;     ///< floor, ...
  double cubic_a = -0.75;
  bool antialias = false;
  bool exclude_outside = false;
  double outside = 0;  ///< the value beyond a crop
};

/// One axis that changes or is cropped.
struct Axis {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  double scale = 1;  ///< as the node says it: outputs / inputs up to rounding
  double crop_begin = 0;
  double crop_end = 1;

  bool is_exact() const {
    return std::abs(scale * static_cast<double>(inputs) - static_cast<double>(outputs)) < 1e-4;
  }
};

Settings settings_of(const Call& call) {
  Settings settings;
  const bool is_old = call.node().op == "Upsample" || call.opset() < 11;
  settings.mode = call.text("mode", "nearest");
  settings.coordinates = is_old ? "asymmetric" : call.text("coordinate_transformation_mode", "half_pixel");
  settings.rounding = is_old ? "floor" : call.text("nearest_mode", "round_prefer_floor");
  settings.cubic_a = call.number("cubic_coeff_a", -0.75);
  settings.antialias = call.integer("antialias", 0) != 0;
  settings.exclude_outside = call.integer("exclude_outside", 0) != 0;
  settings.outside = call.number("extrapolation_value", 0.0);
  if (settings.mode == "bilinear") settings.mode = "linear";
  const auto one_of = [&](const std::string& text, const std::vector<std::string>& allowed) {
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
      call.refuse(in_quotes(text), fmt::format("{}", fmt::join(allowed, ", ")));
  };
  one_of(settings.mode, {"nearest", "linear", "cubic"});
  one_of(settings.coordinates, {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                "asymmetric", "tf_crop_and_resize"});
  one_of(settings.rounding, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  return settings;
}

/// The axes that scales, sizes and roi speak of.
Integers named_axes(const Call& call) {
  auto axes = call.integers("axes", iota(call.rank(0)));
  for (auto& axis : axes) axis = call.axis(axis, call.rank(0));
  return axes;
}

std::vector<double> numbers_at(const Call& call, std::size_t i, std::size_t count) {
  const auto tensor = call.tensor(i).to_float32();
  const auto values = std::as_const(tensor).as<float>();
  if (values.size() != count)
    call.refuse(fmt::format("{} numbers as input {}", values.size(), i), fmt::format("{}", count));
  return {values.begin(), values.end()};
}

std::int64_t extent_of(const Call& call, double extent) {
  if (!(extent >= 1 && extent < 0x1p31))
    call.refuse(fmt::format("an output extent of {}", extent), "1 to 2^31");
  return static_cast<std::int64_t>(extent);
}

void scale_axes(const Call& call, const std::vector<double>& scales, const Integers& axes,
                std::vector<Axis>& all) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& axis = all[static_cast<std::size_t>(axes[i])];
    axis.scale = scales[i];
    if (!(axis.scale > 0)) call.refuse(fmt::format("a scale of {}", axis.scale), "positive ones");
    // A scale such as 1.7 is a float: what it means by a whole extent may lie a hair below.
    axis.outputs = extent_of(call, std::floor(static_cast<double>(axis.inputs) * axis.scale + 1e-5));
  }
}

void size_axes(const Call& call, const Integers& sizes, const Integers& axes, std::vector<Axis>& all) {
  if (sizes.size() != axes.size())
    call.refuse(fmt::format("{} sizes", sizes.size()), fmt::format("{}", axes.size()));
  const auto policy = call.text("keep_aspect_ratio_policy", "stretch");
  std::optional<double> common;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& axis = all[static_cast<std::size_t>(axes[i])];
    axis.outputs = extent_of(call, static_cast<double>(sizes[i]));
    axis.scale = static_cast<double>(axis.outputs) / static_cast<double>(axis.inputs);
    if (policy == "not_larger") common = std::min(common.value_or(axis.scale), axis.scale);
    if (policy == "not_smaller") common = std::max(common.value_or(axis.scale), axis.scale);
  }
  if (!common) return;
  for (const auto at : axes) {
    auto& axis = all[static_cast<std::size_t>(at)];
    axis.scale = *common;
    axis.outputs = extent_of(call, std::floor(*common * static_cast<double>(axis.inputs) + 0.5));
  }
}

std::vector<Axis> axes_of(const Call& call, const Settings& settings) {
  std::vector<Axis> all;
  for (const auto extent : call.shape(0)) all.push_back({extent, extent});
  const auto axes = named_axes(call);
  const bool has_roi = call.opset() >= 11 && call.node().op == "Resize";
  const std::size_t scales = has_roi ? 2 : 1;
  const auto given = [&](std::size_t i) { return call.has(i) && element_count(call.shape(i)) > 0; };
  if (call.node().op == "Upsample" && call.opset() < 9) {
    const auto numbers = call.numbers("scales");
    if (numbers.size() != axes.size()) call.refuse(fmt::format("{} scales", numbers.size()), "one an axis");
    scale_axes(call, {numbers.begin(), numbers.end()}, axes, all);
  } else if (given(scales)) {
    scale_axes(call, numbers_at(call, scales, axes.size()), axes, all);
  } else if (has_roi && given(3)) {
    size_axes(call, call.integers(3), axes, all);
  } else {
    call.refuse("neither scales nor sizes", "one of them");
  }
  if (settings.coordinates == "tf_crop_and_resize") {
    const auto roi = numbers_at(call, 1, 2 * axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      auto& axis = all[static_cast<std::size_t>(axes[i])];
      axis.crop_begin = roi[i];
      axis.crop_end = roi[axes.size() + i];
    }
  }
  return all;
}

/// Where output `x` lies among the inputs; the formulas of the ONNX standard.
double source_of(const Axis& axis, const Settings& settings, double x) {
  const auto inputs = static_cast<double>(axis.inputs), outputs = axis.scale * inputs;
  const auto half_pixel = (x + 0.5) / axis.scale - 0.5;
  const auto& mode = settings.coordinates;
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "align_corners") return outputs <= 1 ? 0 : x * (inputs - 1) / (outputs - 1);
  if (mode == "pytorch_half_pixel") return outputs <= 1 ? 0 : half_pixel;
  if (mode == "half_pixel_symmetric")
    return half_pixel + inputs / 2 * (1 - static_cast<double>(axis.outputs) / outputs);
  if (mode == "tf_crop_and_resize") {
    const auto span = axis.crop_end - axis.crop_begin;
    return outputs <= 1 ? 0.5 * (axis.crop_begin + axis.crop_end) * (inputs - 1)
                        : axis.crop_begin * (inputs - 1) + x * span * (inputs - 1) / (outputs - 1);
  }
  return half_pixel;
}

bool is_outside(const Axis& axis, const Settings& settings, double source) {
  return settings.coordinates == "tf_crop_and_resize" &&
         (source < 0 || source > static_cast<double>(axis.inputs - 1));
}

double nearest(const std::string& rounding, double source) {
  const auto below = std::floor(source);
  if (rounding == "floor") return below;
  if (rounding == "ceil") return std::ceil(source);
  const auto rest = source - below;
  return rest > 0.5 || (rest == 0.5 && rounding == "round_prefer_ceil") ? below + 1 : below;
}

double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * x * a - 4 * a;
  return 0;
}

std::size_t clamped(double at, std::int64_t extent) {
  return static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(extent - 1)));
}

/// The weight of each input in the output at `source`, added to `row`. Neighbours beyond the end are the last
/// input, or left out.
void add_weights(const Axis& axis, const Settings& settings, double source, std::span<float> row) {
  if (settings.mode == "nearest") {
    row[clamped(nearest(settings.rounding, source), axis.inputs)] = 1;
    return;
  }
  const bool is_cubic = settings.mode == "cubic";
  const auto squeeze = settings.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const auto reach = (is_cubic ? 2 : 1) / squeeze;
  const auto first = std::floor(source - reach), last = std::ceil(source + reach);
  std::vector<double> weights(row.size(), 0);
  double sum = 0;
  for (double at = first; at <= last; ++at) {
    const auto distance = (at - source) * squeeze;
    const auto weight = is_cubic ? cubic(distance, settings.cubic_a) : std::max(0.0, 1 - std::abs(distance));
    if (settings.exclude_outside && (at < 0 || at > static_cast<double>(axis.inputs - 1))) continue;
    weights[clamped(at, axis.inputs)] += weight;
    sum += weight;
  }
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(sum == 0 ? 0 : weights[i] / sum);
}

/// The axis as a product with a matrix [outputs, inputs].
ValueId multiplied(Call& call, ValueId value, std::size_t at, const Axis& axis, const Settings& settings) {
  const auto part = fmt::format("axis{}", at);
  call.charge({axis.outputs, axis.inputs});
  Tensor matrix(DType::float32, {axis.outputs, axis.inputs});
  Tensor outside(DType::float32, {axis.outputs});
  for (std::int64_t x = 0; x < axis.outputs; ++x) {
    const auto source = source_of(axis, settings, static_cast<double>(x));
    const auto inputs = static_cast<std::size_t>(axis.inputs);
    if (is_outside(axis, settings, source)) {
      outside.as<float>()[static_cast<std::size_t>(x)] = static_cast<float>(settings.outside);
    } else {
      add_weights(axis, settings, source,
                  matrix.as<float>().subspan(static_cast<std::size_t>(x) * inputs, inputs));
    }
  }
  auto order = iota(static_cast<std::int64_t>(call.shape_of(value).size()));
  std::swap(order[at], order.back());
  value = permute(call, value, order, part + "_last");
  std::vector<ValueId> inputs{value, call.literal(part + "_weights", std::move(matrix))};
  if (settings.coordinates == "tf_crop_and_resize")
    inputs.push_back(call.literal(part + "_outside", std::move(outside)));
  value = call.emit("linear", inputs, {}, part);
  return permute(call, value, order, part + "_back");
}

ValueId gathered_axis(Call& call, ValueId value, std::size_t at, const Axis& axis, const Settings& settings) {
  call.charge({axis.outputs});
  Integers indices;
  for (std::int64_t x = 0; x < axis.outputs; ++x)
    indices.push_back(static_cast<std::int64_t>(
        clamped(nearest(settings.rounding, source_of(axis, settings, static_cast<double>(x))), axis.inputs)));
  return call.emit("gather", {value},
                   {{"axis", static_cast<std::int64_t>(at)}, {"indices", std::move(indices)}},
                   fmt::format("axis{}", at));
}

/// Whether our resize says the same.
bool is_plain(const std::vector<Axis>& axes, const Settings& settings) {
  if (axes.size() < 3 || axes.size() > 5 || settings.exclude_outside || settings.antialias) return false;
  if (settings.mode == "cubic" && axes.size() != 4) return false;
  if (settings.coordinates == "half_pixel_symmetric" || settings.coordinates == "tf_crop_and_resize")
    return false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (i < 2 ? axes[i].inputs != axes[i].outputs || axes[i].scale != 1 : !axes[i].is_exact()) return false;
  }
  return true;
}

void resize(Call& call) {
  auto settings = settings_of(call);
  const auto axes = axes_of(call, settings);
  if (is_plain(axes, settings)) {
    Integers size;
    for (std::size_t i = 2; i < axes.size(); ++i) size.push_back(axes[i].outputs);
    Attributes attributes{{"size", size}, {"mode", settings.mode}, {"coordinates", settings.coordinates}};
    if (settings.mode == "nearest") attributes.set("rounding", settings.rounding);
    if (settings.mode == "cubic") attributes.set("cubic_a", settings.cubic_a);
    return call.define(0, call.emit("resize", {call.value(0)}, std::move(attributes)));
  }
  auto value = call.value(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool crops =
        settings.coordinates == "tf_crop_and_resize" && (axes[i].crop_begin != 0 || axes[i].crop_end != 1);
    if (axes[i].inputs == axes[i].outputs && axes[i].scale == 1 && !crops) continue;
    value = settings.mode == "nearest" && !crops ? gathered_axis(call, value, i, axes[i], settings)
                                                 : multiplied(call, value, i, axes[i], settings);
  }
  call.define(0, value);
}

}  // namespace

std::vector<Operator> resize_operators() { return {{"Resize", resize}, {"Upsample", resize}}; }

}  // namespace compress::onnx
