#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

void add_pool(Lowering& to, const Node& node, QOp op, QValueId x) {
  const auto axes = canonical_order(to.rank(node.output));
  const auto y = to.add_same_scale(node.name, std::move(op), x, to.graph().value(node.output).name,
                                   to.shape_in(node.output, axes));
  to.set_form(node.output, {y, axes});
}

void add_pool(Lowering& to, const Node& node, QOp op) {
  add_pool(to, node, std::move(op), to.canonical(node.inputs[0]));
}

/// Windows that hang over the end: as much padding there as the last one needs.
void let_windows_hang(const Lowering& to, const Node& node, Window& window) {
  if (!node.attributes.boolean("ceil")) return;
  const auto in = along_image(std::span(to.shape(node.inputs[0])).subspan(2), 1);
  const auto out = along_image(std::span(to.shape(node.output)).subspan(2), 1);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto last = (out[i] - 1) * window.stride[i] + (window.kernel[i] - 1) * window.dilation[i] + 1;
    window.pad_end[i] = std::max(0, last - in[i] - window.pad_begin[i]);
  }
}

bool any_above(const std::vector<std::int64_t>& list, std::int64_t most) {
  return std::any_of(list.begin(), list.end(), [&](auto each) { return each > most; });
}

void max_pool(Lowering& to, const Node& node) {
  refuse_if(any_above(node.attributes.integers("dilation"), 1), node, "dilated windows", "a dilation of 1");
  QMaxPool op;
  op.window = window_of(node, node.attributes.integers("kernel"));
  let_windows_hang(to, node, op.window);
  add_pool(to, node, op);
}

/// Zeros that count are put there before.
QValueId with_zeros(Lowering& to, const Node& node, Window& window) {
  const auto x = to.canonical(node.inputs[0]);
  auto shape = to.value(x).shape;
  QPad pad{{0, window.pad_begin[0], window.pad_begin[1], 0},
           {0, window.pad_end[0], window.pad_end[1], 0},
           to.value(x).zero_point};
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += pad.begin[i] + pad.end[i];
  for (auto* side : {&window.pad_begin, &window.pad_end}) (*side)[0] = (*side)[1] = 0;
  const auto name = to.graph().value(node.output).name + "/padded";
  return to.add_same_scale(node.name + "/pad", std::move(pad), x, name, shape);
}

void average_pool(Lowering& to, const Node& node) {
  const bool counts =
      node.attributes.boolean("count_padding") && any_above(node.attributes.integers("padding"), 0);
  refuse_if(counts && node.attributes.boolean("ceil"), node,
            "padding that counts under windows that hang over the end", "one of them");
  QAvgPool op;
  op.window = window_of(node, node.attributes.integers("kernel"));
  if (counts) {
    const auto x = with_zeros(to, node, op.window);
    return add_pool(to, node, op, x);
  }
  let_windows_hang(to, node, op.window);
  add_pool(to, node, op);
}

/// Windows of one size that cover the input without a rest.
template <typename Pool>
void adaptive_pool(Lowering& to, const Node& node) {
  const auto in = along_image(std::span(to.shape(node.inputs[0])).subspan(2), 1);
  const auto out = along_image(node.attributes.integers("size"), 1);
  refuse_if(to.rank(node.output) > 4, node, fmt::format("{} axes", to.rank(node.output) - 2), "one or two");
  Pool op;
  for (std::size_t i = 0; i < 2; ++i) {
    refuse_if(in[i] % out[i] != 0, node, fmt::format("{} elements to {}", in[i], out[i]),
              "sizes that divide the input's");
    op.window.kernel[i] = op.window.stride[i] = in[i] / out[i];
  }
  add_pool(to, node, op);
}

template <typename Pool>
void global_pool(Lowering& to, const Node& node) {
  const auto& shape = to.shape(node.inputs[0]);
  if (shape.size() > 4) refuse(node, fmt::format("a pool over {} axes", shape.size() - 2), "one or two", "");
  Pool op;
  const auto kernel = along_image(std::span(shape).subspan(2), 1);
  std::copy(kernel.begin(), kernel.end(), op.window.kernel);
  add_pool(to, node, op);
}

}  // namespace

std::vector<Operator> pool_operators() {
  return {{"adaptive_avg_pool", adaptive_pool<QAvgPool>},
          {"adaptive_max_pool", adaptive_pool<QMaxPool>},
          {"avg_pool", average_pool},
          {"global_avg_pool", global_pool<QAvgPool>},
          {"global_max_pool", global_pool<QMaxPool>},
          {"max_pool", max_pool}};
}

}  // namespace compress::lowering
