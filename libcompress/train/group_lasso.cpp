#include "libcompress/train/group_lasso.h"

#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <numeric>

namespace compress {
namespace {

/// Sums of squares by position of `dimension`.
at::Tensor squares_along(const at::Tensor& weight, std::int64_t dimension) {
  std::vector<std::int64_t> others(static_cast<std::size_t>(weight.dim()));
  std::iota(others.begin(), others.end(), 0);
  others.erase(others.begin() + dimension);
  const auto squares = weight.square();
  return others.empty() ? squares : at::sum(squares, others);  // an empty list would mean all dimensions
}

/// One factor for each position of `dimension`, shaped to multiply a weight of rank `rank`.
at::Tensor spread(const at::Tensor& factors, std::int64_t dimension, std::int64_t rank) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(dimension)] = factors.size(0);
  return factors.view(shape);
}

}  // namespace

GroupLasso::GroupLasso(const Network& network, std::span<const PruningGroup> groups, double strength)
    : strength_(strength) {
  for (const auto& group : groups) {
    if (!group.prunable) continue;
    Group mine;
    auto counts = at::zeros({group.size}, at::kFloat);
    for (const auto& member : group.members) {
      if (network.graph().value(member.axis.value).kind != ValueKind::parameter) continue;
      std::vector<std::int64_t> from, to;
      for (std::size_t i = 0; i < member.indices.size(); ++i) {
        for (const auto position : member.indices[i]) {
          from.push_back(position);
          to.push_back(static_cast<std::int64_t>(i));
        }
      }
      const auto& weight = network.weight(member.axis.value);
      const auto dimension = static_cast<std::int64_t>(member.axis.dimension);
      mine.members.push_back({weight, dimension, at::tensor(from), at::tensor(to)});
      const auto slice = static_cast<double>(weight.numel() / weight.size(dimension));
      const auto each = at::zeros({static_cast<std::int64_t>(to.size())}, at::kFloat).fill_(slice);
      counts.index_add_(0, mine.members.back().to, each);
    }
    mine.roots = counts.sqrt();
    groups_.push_back(std::move(mine));
  }
}

at::Tensor GroupLasso::norms_of(const Group& group) const {
  auto squares = at::zeros_like(group.roots);
  for (const auto& [weight, dimension, from, to] : group.members)
    squares.index_add_(0, to, squares_along(weight, dimension).index_select(0, from));
  return squares.sqrt();
}

double GroupLasso::penalty() const {
  const c10::NoGradGuard without_gradients;
  double sum = 0;
  for (const auto& group : groups_) sum += at::sum(norms_of(group).mul(group.roots)).item<double>();
  return strength_ * sum;
}

void GroupLasso::add_gradients() {
  const c10::NoGradGuard without_gradients;
  for (auto& group : groups_) {
    const auto norms = norms_of(group);
    const auto factors = at::where(norms.gt(0), group.roots.mul(strength_).div(norms), at::zeros_like(norms));
    for (auto& [weight, dimension, from, to] : group.members) {
      auto along = at::zeros({weight.size(dimension)}, at::kFloat);
      along.index_add_(0, from, factors.index_select(0, to));
      auto& gradient = weight.mutable_grad();
      if (!gradient.defined()) gradient = at::zeros_like(weight);
      gradient.addcmul_(weight, spread(along, dimension, weight.dim()));
    }
  }
}

}  // namespace compress
