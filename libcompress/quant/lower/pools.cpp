#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

void add_pool(Lowering& to, const Node& node, QOp op) {
  const auto axes = canonical_order(to.rank(node.output));
  const auto y = to.add_same_scale(node.name, std::move(op), to.canonical(node.inputs[0]),
                                   to.graph().value(node.output).name, to.shape_in(node.output, axes));
  to.set_form(node.output, {y, axes});
}

void refuse_hanging_windows(const Node& node) {
  refuse_if(node.attributes.boolean("ceil"), node, "windows that hang over the end", "windows that fit");
}

bool any_above(const std::vector<std::int64_t>& list, std::int64_t most) {
  return std::any_of(list.begin(), list.end(), [&](auto each) { return each > most; });
}

void max_pool(Lowering& to, const Node& node) {
  refuse_hanging_windows(node);
  refuse_if(any_above(node.attributes.integers("dilation"), 1), node, "dilated windows", "a dilation of 1");
  QMaxPool op;
  op.window = window_of(node, node.attributes.integers("kernel"));
  add_pool(to, node, op);
}

void average_pool(Lowering& to, const Node& node) {
  refuse_hanging_windows(node);
  refuse_if(node.attributes.boolean("count_padding") && any_above(node.attributes.integers("padding"), 0),
            node, "padding that counts", "padding that does not");
  QAvgPool op;
  op.window = window_of(node, node.attributes.integers("kernel"));
  add_pool(to, node, op);
}

void global_pool(Lowering& to, const Node& node) {
  const auto& shape = to.shape(node.inputs[0]);
  if (shape.size() > 4) refuse(node, fmt::format("a mean over {} axes", shape.size() - 2), "one or two", "");
  QAvgPool op;
  const auto kernel = along_image(std::span(shape).subspan(2), 1);
  std::copy(kernel.begin(), kernel.end(), op.window.kernel);
  add_pool(to, node, op);
}

}  // namespace

std::vector<Operator> pool_operators() {
  return {{"avg_pool", average_pool}, {"global_avg_pool", global_pool}, {"max_pool", max_pool}};
}

}  // namespace compress::lowering
