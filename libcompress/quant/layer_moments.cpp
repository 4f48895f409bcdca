#include "libcompress/quant/layer_moments.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/im2col.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

/// Entries for [height, width]; a sequence has no height.
Integers along_image(Integers entries, std::int64_t absent) {
  if (entries.empty()) return {absent, absent};
  if (entries.size() == 1) entries.insert(entries.begin(), absent);
  return entries;
}

/// [examples, K of all groups, positions] for examples [n, ...].
at::Tensor columns_of(const Node& layer, const Shape& weight_shape, const at::Tensor& examples) {
  if (layer.op == "linear") return examples.reshape({1, -1, weight_shape[1]}).transpose(1, 2);
  const auto& attributes = layer.attributes;
  const auto image = examples.dim() == 3 ? examples.unsqueeze(2) : examples;
  const Integers padding = attributes.integers("padding");
  const auto half = static_cast<std::ptrdiff_t>(padding.size() / 2);
  const auto before = along_image({padding.begin(), padding.begin() + half}, 0);
  const auto after = along_image({padding.begin() + half, padding.end()}, 0);
  const auto padded = at::constant_pad_nd(image, {before[1], after[1], before[0], after[0]}).contiguous();
  const auto kernel = along_image({weight_shape.begin() + 2, weight_shape.end()}, 1);
  return at::im2col(padded, kernel, along_image(attributes.integers("dilation"), 1), {0, 0},
                    along_image(attributes.integers("stride"), 1));
}

/// As many examples at once as have about so many numbers when every tap has its own: few calls, in the
/// cache.
std::int64_t batch_for(const Shape& weight_shape, const at::Tensor& examples) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 22;
  std::int64_t taps = 1;
  for (std::size_t i = 2; i < weight_shape.size(); ++i) taps *= weight_shape[i];
  const auto an_example = examples.numel() / examples.size(0) * taps;
  return std::clamp<std::int64_t>(kNumbers / std::max<std::int64_t>(1, an_example), 1, 64);
}

struct Sums {
  at::Tensor rounded, mixed;            // [groups, K, K]
  at::Tensor rounded_mean, exact_mean;  // [groups, K]
  double positions = 0;
};

void add(Sums& sums, const at::Tensor& exact, const at::Tensor& rounded, std::int64_t groups) {
  const auto split = [&](const at::Tensor& columns) {
    return columns.reshape({columns.size(0), groups, -1, columns.size(2)});
  };
  const auto x = split(exact), y = split(rounded);
  sums.rounded.add_(at::matmul(y, y.transpose(2, 3)).sum(0));
  sums.mixed.add_(at::matmul(y, x.transpose(2, 3)).sum(0));
  sums.rounded_mean.add_(y.sum({0, 3}));
  sums.exact_mean.add_(x.sum({0, 3}));
  sums.positions += static_cast<double>(exact.size(0) * exact.size(2));
}

/// How far measured correlations of `width` inputs are to be trusted less, 0 to 1: the oracle approximating
/// shrinkage of Chen, Wiesel, Eldar, Hero (Shrinkage Algorithms for MMSE Covariance Estimation, 2010), of the
/// correlations' sum of squares.
double shrinkage_of(double squares, double width, double positions) {
  const double excess = squares - width;
  if (excess <= 0) return 1;
  const double numerator = (1 - 2 / width) * squares + width * width;
  return std::min(1.0, numerator / ((positions + 1 - 2 / width) * excess));
}

/// Few positions say little about many weights: correlations that may be chance are drawn to 0, where
/// rounding to the nearest is best.
void distrust_chance(LayerMoments& moments, double positions) {
  const auto powers = moments.rounded.diagonal().clone();
  const auto scale = at::where(powers.gt(0), powers.rsqrt(), at::zeros_like(powers));
  const double width = powers.gt(0).sum().item<double>();
  if (width < 2) return;
  const auto measured = moments.rounded.clone();
  const auto correlations = moments.rounded.mul(at::outer(scale, scale));
  const double kept = 1 - shrinkage_of(correlations.square().sum().item<double>(), width, positions);
  moments.rounded.mul_(kept);
  moments.rounded.diagonal().copy_(powers);
  // Weights that answer to what earlier layers lost fit it by chance where they are as many as positions.
  const double answered = std::max(0.0, 1 - width / positions);
  const auto lost = moments.mixed.sub(measured);
  moments.mixed.copy_(moments.rounded).add_(lost, kept * answered);
}

}  // namespace

std::vector<LayerMoments> moments_of(const Node& layer, const Shape& weight_shape, const at::Tensor& exact,
                                     const at::Tensor& rounded, bool centred) {
  const auto groups = layer.op == "conv" ? layer.attributes.integer("groups") : 1;
  const auto width = element_count(weight_shape) / weight_shape[0];
  const auto square = at::zeros({groups, width, width}, at::kDouble);
  const auto line = at::zeros({groups, width}, at::kDouble);
  Sums sums{square, square.clone(), line, line.clone()};
  const auto batch = batch_for(weight_shape, exact);
  for (std::int64_t first = 0; first < exact.size(0); first += batch) {
    const auto count = std::min(batch, exact.size(0) - first);
    add(sums, columns_of(layer, weight_shape, exact.narrow(0, first, count)),
        columns_of(layer, weight_shape, rounded.narrow(0, first, count)), groups);
  }
  std::vector<LayerMoments> moments;
  for (std::int64_t g = 0; g < groups; ++g) {
    LayerMoments of_group{sums.rounded[g], sums.mixed[g]};
    if (centred) {
      of_group.rounded.sub_(at::outer(sums.rounded_mean[g], sums.rounded_mean[g]).div(sums.positions));
      of_group.mixed.sub_(at::outer(sums.rounded_mean[g], sums.exact_mean[g]).div(sums.positions));
    }
    distrust_chance(of_group, sums.positions);
    moments.push_back(std::move(of_group));
  }
  return moments;
}

}  // namespace compress
