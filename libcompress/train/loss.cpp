#include "libcompress/train/loss.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/xlogy.h>
#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Borrows the batch, which nothing writes to.
at::Tensor view_of(const std::vector<float>& values, Shape shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

}  // namespace

ClassScores find_class_scores(const Graph& graph) {
  if (graph.outputs().empty())
    throw Error(ErrorKind::input, {"graph", "no output", "one vector of class scores", ""});
  const auto output = graph.outputs().front();
  const auto* last = graph.producer(output);
  if (last == nullptr || last->op != "softmax") return {output};
  const auto& shape = graph.value(output).shape;
  const auto axis = static_cast<std::size_t>(last->attributes.integer("axis"));
  if (element_count(shape) != shape[axis])
    throw Error(ErrorKind::input, {fmt::format("node '{}'", last->name),
                                   fmt::format("a softmax over axis {} of {}", axis, to_string(shape)),
                                   "one vector of class scores", ""});
  return {last->inputs.front()};
}

Loss loss_of(const Network& network, const ClassScores& scores, const Batch& batch, const Pass& pass,
             const Teacher* teacher) {
  Shape shape = network.graph().value(network.graph().inputs().front()).shape;
  shape[0] = batch.count;
  const auto input = view_of(batch.inputs, shape);
  const auto classes = static_cast<std::int64_t>(batch.targets.size()) / batch.count;
  const auto target = view_of(batch.targets, {batch.count, classes});

  const auto logits = network.compute({&input, 1}, {&scores.logits, 1}, pass).front();
  const auto log_probabilities = at::log_softmax(at::flatten(logits, 1), 1);
  const auto divergence = at::sub(at::xlogy(target, target), at::mul(target, log_probabilities));
  const auto right = at::eq(at::argmax(log_probabilities, 1), at::argmax(target, 1));
  auto mean = at::sum(divergence).div(static_cast<double>(batch.count));
  if (teacher != nullptr) mean = teacher->blend(mean, input, logits);
  return {mean, right.sum().item<std::int64_t>()};
}

}  // namespace compress
