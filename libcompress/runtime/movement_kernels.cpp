// Operators that move elements, and resizing, which weighs a few of them.
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/permute.h>
#include <ATen/ops/reshape.h>
#include <ATen/ops/slice.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/graph/nearest.h"
#include "libcompress/runtime/kernel_families.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

at::Tensor permute(const KernelCall& call) {
  return at::permute(call.inputs[0], call.attributes.integers("order")).contiguous();
}

/// An input that lacks the batch (a class token) is repeated for it.
at::Tensor concat(const KernelCall& call) {
  const auto axis = call.attributes.integer("axis");
  std::vector<at::Tensor> parts(call.inputs.begin(), call.inputs.end());
  Integers common(static_cast<std::size_t>(parts.front().dim()), 1);
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < common.size(); ++i)
      common[i] = std::max(common[i], part.size(static_cast<std::int64_t>(i)));
  }
  for (auto& part : parts) {
    common[static_cast<std::size_t>(axis)] = part.size(axis);
    part = part.expand(common);
  }
  return at::cat(parts, axis);
}

at::Tensor slice(const KernelCall& call) {
  return at::slice(call.inputs[0], call.attributes.integer("axis"), call.attributes.integer("begin"),
                   call.attributes.integer("end"), call.attributes.integer("step"));
}

at::Tensor take(const at::Tensor& input, std::int64_t axis, const Integers& indices) {
  return at::index_select(input, axis, at::tensor(indices, at::kLong).to(input.device()));
}

at::Tensor gather(const KernelCall& call) {
  return take(call.inputs[0], call.attributes.integer("axis"), call.attributes.integers("indices"));
}

/// Which index of `extent` lies at `place`, which may be before 0 or behind the end.
std::int64_t repeated_index(std::int64_t place, std::int64_t extent, std::string_view mode) {
  if (mode == "edge") return std::clamp<std::int64_t>(place, 0, extent - 1);
  if (mode == "circular") return (place % extent + extent) % extent;
  if (place < 0) place = -place;
  return place < extent ? place : 2 * (extent - 1) - place;
}

at::Tensor pad(const KernelCall& call) {
  const auto& padding = call.attributes.integers("padding");
  const auto& mode = call.attributes.text("mode");
  const auto rank = padding.size() / 2;
  auto result = call.inputs[0];
  if (mode == "constant") {
    Integers innermost_first;
    for (std::size_t axis = rank; axis-- > 0;)
      innermost_first.insert(innermost_first.end(), {padding[axis], padding[rank + axis]});
    return at::constant_pad_nd(result, innermost_first, call.attributes.number("value"));
  }
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (padding[axis] == 0 && padding[rank + axis] == 0) continue;
    const auto extent = result.size(static_cast<std::int64_t>(axis));
    Integers indices;
    for (auto place = -padding[axis]; place < extent + padding[rank + axis]; ++place)
      indices.push_back(repeated_index(place, extent, mode));
    result = take(result, static_cast<std::int64_t>(axis), indices);
  }
  return result;
}

/// The shape is stated for the declared batch; another one multiplies `batch_axis`.
at::Tensor reshape(const KernelCall& call) {
  auto shape = call.attributes.integers("shape");
  const auto size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  if (const auto batches = call.inputs[0].numel() / size; batches != 1) {
    const auto axis = call.attributes.integer("batch_axis");
    if (axis < 0)
      throw Error(
          ErrorKind::input,
          {"a reshape to " + to_string(shape), fmt::format("a batch of {} times the declared one", batches),
           "the batch the network was imported with", "import it with a batch that is left open"});
    shape[static_cast<std::size_t>(axis)] *= batches;
  }
  return at::reshape(call.inputs[0], shape);
}

/// Axes whose declared extent does not change keep the one they have: it may be the batch.
at::Tensor expand(const KernelCall& call) {
  auto shape = call.attributes.integers("shape");
  const auto& input = call.inputs[0];
  const auto shift = static_cast<std::int64_t>(shape.size()) - input.dim();
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const auto own = static_cast<std::int64_t>(axis) - shift;
    if (own >= 0 && input.size(own) != 1) shape[axis] = input.size(own);
  }
  return input.expand(shape);
}

/// [N, C, H, W] with pixels of blocks in the channels: the six axes that both orders have.
at::Tensor depth_to_space(const KernelCall& call) {
  const auto b = call.attributes.integer("block");
  const auto s = call.inputs[0].sizes();
  const auto channels = s[1] / (b * b);
  const bool dcr = call.attributes.text("order") == "dcr";
  const auto split =
      dcr ? at::reshape(call.inputs[0], {s[0], b, b, channels, s[2], s[3]}).permute({0, 3, 4, 1, 5, 2})
          : at::reshape(call.inputs[0], {s[0], channels, b, b, s[2], s[3]}).permute({0, 1, 4, 2, 5, 3});
  return at::reshape(split, {s[0], channels, s[2] * b, s[3] * b});
}

at::Tensor space_to_depth(const KernelCall& call) {
  const auto b = call.attributes.integer("block");
  const auto s = call.inputs[0].sizes();
  const bool dcr = call.attributes.text("order") == "dcr";
  const auto split = at::reshape(call.inputs[0], {s[0], s[1], s[2] / b, b, s[3] / b, b});
  const auto moved = dcr ? split.permute({0, 3, 5, 1, 2, 4}) : split.permute({0, 1, 3, 5, 2, 4});
  return at::reshape(moved, {s[0], s[1] * b * b, s[2] / b, s[3] / b});
}

at::Tensor channel_shuffle(const KernelCall& call) {
  const auto groups = call.attributes.integer("groups");
  const auto sizes = call.inputs[0].sizes();
  Integers split = {sizes[0], groups, sizes[1] / groups};
  split.insert(split.end(), sizes.begin() + 2, sizes.end());
  return at::reshape(at::reshape(call.inputs[0], split).transpose(1, 2), sizes);
}

/// Weights of the four neighbours of a place, `t` behind the second (Keys, 1981).
std::array<double, 4> cubic_weights(double t, double a) {
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(1 + t), near(t), near(1 - t), far(2 - t)};
}

/// [out, in]: what each element of an axis is made of. Neighbours beyond the ends are the last element.
at::Tensor interpolation(std::int64_t in, std::int64_t out, const Attributes& attributes) {
  auto matrix = at::zeros({out, in});
  auto weights = matrix.accessor<float, 2>();
  const bool cubic = attributes.text("mode") == "cubic";
  for (std::int64_t o = 0; o < out; ++o) {
    const auto place = place_among(o, in, out, attributes.text("coordinates"));
    const auto floor = static_cast<std::int64_t>(std::floor(place));
    const auto t = place - static_cast<double>(floor);
    const auto add = [&](std::int64_t i, double weight) {
      weights[o][std::clamp<std::int64_t>(i, 0, in - 1)] += static_cast<float>(weight);
    };
    if (cubic) {
      const auto four = cubic_weights(t, attributes.number("cubic_a"));
      for (std::int64_t k = 0; k < 4; ++k) add(floor - 1 + k, four[static_cast<std::size_t>(k)]);
    } else {
      add(floor, 1 - t);
      add(floor + 1, t);
    }
  }
  return matrix;
}

at::Tensor resize(const KernelCall& call) {
  const auto& size = call.attributes.integers("size");
  const bool nearest = call.attributes.text("mode") == "nearest";
  auto result = call.inputs[0];
  for (std::size_t i = 0; i < size.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const auto in = result.size(axis), out = size[i];
    if (in == out) continue;
    if (nearest) {
      const auto indices =
          nearest_elements(in, out, call.attributes.text("coordinates"), call.attributes.text("rounding"));
      result = take(result, axis, indices);
    } else {
      const auto matrix = interpolation(in, out, call.attributes).to(result.device());
      result = at::matmul(result.transpose(axis, -1), matrix.t()).transpose(axis, -1);
    }
  }
  return result;
}

}  // namespace

Kernels movement_kernels() {
  return {{"concat", concat},
          {"slice", slice},
          {"gather", gather},
          {"pad", pad},
          {"reshape", reshape},
          {"flatten", [](const KernelCall& call) { return at::flatten(call.inputs[0], 1); }},
          {"permute", permute},
          {"expand", expand},
          {"depth_to_space", depth_to_space},
          {"space_to_depth", space_to_depth},
          {"channel_shuffle", channel_shuffle},
          {"resize", resize}};
}

}  // namespace compress
