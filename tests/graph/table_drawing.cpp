#include "tests/graph/table_drawing.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "tests/graph/builder.h"

namespace compress::testing {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kMostElements = 3000;

/// Grows a network from a pool of values, any of which the next operator may read.
class Drawing {
 public:
  explicit Drawing(Random& random)
      : random_(random), net_({1, 1 + random.below(3), 4 + random.below(4), 4 + random.below(4)}) {
    add(net_.conv(name("stem"), net_.input(), width()));
  }

  Graph draw() {
    const auto operators = drawn_operators();
    for (std::int64_t i = 6 + random_.below(7); i > 0; --i) {
      step(operators[static_cast<std::size_t>(below(operators.size()))]);
      if (coin()) refresh();
    }
    return finish();
  }

  using Step = void (Drawing::*)(const std::string& op);
  static const std::map<std::string, Step>& steps();

 private:
  void step(const std::string& op) { (this->*steps().at(op))(op); }

  /// Gives the latest value ids of its own, whatever was pinned before.
  void refresh() {
    const auto x = pool_.back();
    if (rank(x) >= 3 && rank(x) <= 5 && coin()) {
      const Integers ones(shape(x).size() - 2, 1), zeros(shape(x).size() - 2, 0);
      add(net_.conv(name("fresh"), x, width(),
                    {.kernel = ones, .stride = ones, .padding = zeros, .bias = coin()}));
    } else {
      add(net_.linear(name("fresh"), x, width(), coin()));
    }
  }

  // Choices.
  std::int64_t below(std::size_t bound) { return random_.below(static_cast<std::int64_t>(bound)); }
  bool coin() { return random_.below(2) == 0; }
  std::int64_t width() { return 2 + random_.below(7); }
  std::string name(const std::string& stem) { return stem + std::to_string(count_++); }
  const Shape& shape(ValueId value) const { return net_.shape(value); }
  int rank(ValueId value) const { return static_cast<int>(shape(value).size()); }
  std::int64_t extent(ValueId value, int axis) const { return shape(value)[static_cast<std::size_t>(axis)]; }
  /// Any axis but the batch.
  int axis_of(ValueId value) { return 1 + static_cast<int>(below(shape(value).size() - 1)); }

  /// A value of the pool with at least that rank, the latest more often; makes one if there is none.
  ValueId pick(int least_rank = 2, int most_rank = 6) {
    std::vector<ValueId> fitting;
    for (const auto value : pool_) {
      if (rank(value) >= least_rank && rank(value) <= most_rank) fitting.push_back(value);
    }
    if (fitting.empty()) return add(net_.conv(name("conv"), net_.input(), width()));
    if (coin()) return fitting.back();
    return fitting[static_cast<std::size_t>(below(fitting.size()))];
  }
  ValueId image() { return pick(3, 4); }

  ValueId add(ValueId value) {
    if (rank(value) >= 2 && rank(value) <= 6 && element_count(shape(value)) <= kMostElements)
      pool_.push_back(value);
    return value;
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return net_.graph.add_node(op, name(op), std::move(inputs), std::move(attributes));
  }
  ValueId parameter(const std::string& stem, Shape extents) {
    return net_.graph.add_parameter(name(stem) + ".weight", std::move(extents));
  }

  /// Another value of the same shape that has ids of its own along the last axis.
  ValueId companion(ValueId value) {
    return net_.linear(name("companion"), value, shape(value).back(), coin());
  }
  /// Above zero, and not zero where the input is.
  ValueId positive(ValueId value) { return node("exp", {node("tanh", {value})}); }
  /// Away from where rounding operators jump.
  ValueId between_steps(ValueId value) { return node("clip", {value}, {{"min", 0.1}, {"max", 0.4}}); }

  // Operators.
  void conv(const std::string& op) {
    const auto x = image();
    const auto spatial = shape(x).size() - 2;
    std::int64_t groups = 1;
    if (coin()) {
      for (const std::int64_t g : {4, 3, 2}) {
        if (extent(x, 1) % g == 0) groups = g;
      }
      if (coin()) groups = extent(x, 1);
    }
    const auto out = groups * (1 + random_.below(groups > 3 ? 2 : 4));
    Integers kernel, stride, padding(2 * spatial, 0), dilation(spatial, 1);
    for (std::size_t i = 0; i < spatial; ++i) {
      kernel.push_back(1 + random_.below(std::min<std::int64_t>(3, shape(x)[i + 2])));
      stride.push_back(shape(x)[i + 2] > 5 && coin() ? 2 : 1);
      padding[i] = kernel[i] / 2;
      padding[spatial + i] = coin() ? kernel[i] / 2 : 0;
    }
    const bool transposed = op == "conv_transpose";
    Shape weight = transposed ? Shape{extent(x, 1), out / groups} : Shape{out, extent(x, 1) / groups};
    weight.insert(weight.end(), kernel.begin(), kernel.end());
    std::vector<ValueId> inputs = {x, parameter(op, weight)};
    if (coin()) inputs.push_back(net_.graph.add_parameter(name(op) + ".bias", {out}));
    Attributes attributes = {
        {"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"groups", groups}};
    if (transposed) attributes.set("output_padding", Integers(spatial, 0));
    add(node(op, inputs, attributes));
  }

  void linear(const std::string&) { add(net_.linear(name("linear"), pick(), width(), coin())); }

  void matmul(const std::string& op) {
    const auto x = pick(3, 5);
    if (random_.below(3) == 0) {
      add(node(op, {x, parameter(op, {shape(x).back(), width()})}));
      return;
    }
    // Attention: queries against keys, then values; with heads where the width allows it.
    const auto heads = 1 + random_.below(4), each = 1 + random_.below(4);
    const auto flat = node(
        "reshape", {x}, {{"shape", Integers{1, element_count(shape(x)) / shape(x).back(), shape(x).back()}}});
    const auto length = extent(flat, 1);
    if (length > 64) return;
    const auto part = [&](const std::string& stem) {
      const auto y = net_.linear(name(stem), flat, heads * each, coin());
      const auto split = node("reshape", {y}, {{"shape", Integers{1, length, heads, each}}});
      return node("permute", {split}, {{"order", Integers{0, 2, 1, 3}}});
    };
    const auto keys = node("permute", {part("k")}, {{"order", Integers{0, 1, 3, 2}}});
    auto scores = node(op, {part("q"), keys});
    scores = node("softmax", {scores}, {{"axis", std::int64_t{3}}});
    auto mixed = node(op, {scores, part("v")});
    mixed = node("permute", {mixed}, {{"order", Integers{0, 2, 1, 3}}});
    add(node("reshape", {mixed}, {{"shape", Integers{1, length, heads * each}}}));
  }

  void batch_norm(const std::string&) { add(net_.batch_norm(name("norm"), pick())); }

  void norm(const std::string& op) {
    const auto x = op == "layer_norm" ? pick() : image();
    Attributes attributes;
    Shape extents{extent(x, 1)};
    if (op == "layer_norm") {
      const auto axis = axis_of(x);
      attributes.set("axis", static_cast<std::int64_t>(axis));
      extents.assign(shape(x).begin() + axis, shape(x).end());
    }
    if (op == "group_norm") {
      std::int64_t groups = coin() ? extent(x, 1) : 1;
      for (const std::int64_t g : {2, 3}) {
        if (coin() && extent(x, 1) % g == 0) groups = g;
      }
      attributes.set("groups", groups);
    }
    // Statistics over one element are all rounding.
    const auto over = op == "layer_norm" ? element_count(extents) : element_count(shape(x)) / extent(x, 1);
    if (over < 4) return;
    std::vector<ValueId> inputs = {x};
    if (coin()) inputs = {x, parameter(op, extents), net_.graph.add_parameter(name(op) + ".bias", extents)};
    add(node(op, inputs, attributes));
  }

  void unary(const std::string& op) { add(node(op, {pick()})); }
  void of_positive(const std::string& op) { add(node(op, {positive(pick())})); }
  void rounding(const std::string& op) {
    const auto x = pick();
    add(node("add", {node(op, {between_steps(x)}), x}));
  }

  void clip(const std::string& op) {
    add(node(op, {pick()}, {{"min", random_.uniform(-1.0, 0.5)}, {"max", random_.uniform(0.6, 2.0)}}));
  }

  void prelu(const std::string& op) {
    const auto x = pick(3);
    Shape slope(shape(x).size() - 1, 1);
    if (coin()) slope[0] = extent(x, 1);
    add(node(op, {x, parameter(op, slope)}));
  }

  void binary(const std::string& op) {
    auto x = pick();
    ValueId other{};
    switch (random_.below(5)) {
      case 0:
        other = companion(x);
        break;
      case 1: {  // a table of the value's last axes
        const auto from = 1 + below(shape(x).size() - 1);
        other = parameter(op, Shape(shape(x).begin() + from, shape(x).end()));
        break;
      }
      case 2: {  // a scale along one axis
        Shape extents(shape(x).size(), 1);
        const auto axis = static_cast<std::size_t>(axis_of(x));
        extents[axis] = shape(x)[axis];
        other = parameter(op, extents);
        break;
      }
      case 3:  // squeeze and excite, or a mean over another axis
        other = node("reduce_mean", {x}, {{"axes", Integers{axis_of(x)}}, {"keep", true}});
        if (coin()) std::swap(x, other);
        break;
      default:
        other = x;
    }
    if (op == "div") other = positive(other);
    if (op == "pow") {
      x = positive(x);
      other = node("tanh", {other});
    }
    add(node(op, {x, other}));
  }

  void pool(const std::string& op) {
    const auto x = image();
    const auto spatial = shape(x).size() - 2;
    Integers kernel, stride, padding(2 * spatial, 0);
    for (std::size_t i = 0; i < spatial; ++i) {
      kernel.push_back(1 + random_.below(std::min<std::int64_t>(3, shape(x)[i + 2])));
      stride.push_back(1 + random_.below(2));
      padding[i] = padding[spatial + i] = kernel[i] > 2 && coin() ? 1 : 0;
    }
    Attributes attributes = {{"kernel", kernel}, {"stride", stride}, {"padding", padding}, {"ceil", coin()}};
    if (op == "avg_pool") attributes.set("count_padding", coin());
    add(node(op, {x}, attributes));
  }
  void global_pool(const std::string& op) { add(node(op, {image()})); }
  void adaptive_pool(const std::string& op) {
    const auto x = image();
    Integers size;
    for (std::size_t i = 2; i < shape(x).size(); ++i) size.push_back(1 + random_.below(shape(x)[i]));
    add(node(op, {x}, {{"size", size}}));
  }

  void reduce(const std::string& op) {
    const auto x = pick(3);
    Integers axes = {axis_of(x)};
    if (coin()) axes.push_back(axis_of(x));
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    add(node(op, {x}, {{"axes", axes}, {"keep", coin() || rank(x) - static_cast<int>(axes.size()) < 2}}));
  }

  void concat(const std::string& op) {
    const auto x = pick();
    std::vector<ValueId> inputs = {x, companion(x)};
    if (coin()) inputs.push_back(coin() ? x : node("tanh", {x}));
    if (coin()) std::swap(inputs.front(), inputs.back());
    add(node(op, inputs, {{"axis", static_cast<std::int64_t>(axis_of(x))}}));
  }

  ValueId part(ValueId x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1) {
    return node("slice", {x},
                {{"axis", static_cast<std::int64_t>(axis)}, {"begin", begin}, {"end", end}, {"step", step}});
  }

  void slice(const std::string&) {
    const auto x = pick();
    const auto axis = axis_of(x);
    const auto e = extent(x, axis);
    if (e < 2) return;
    const auto cut = 1 + random_.below(e - 1);
    switch (random_.below(3)) {
      case 0:  // both halves, the second one first: a roll
        add(node("concat", {part(x, axis, cut, e), part(x, axis, 0, cut)},
                 {{"axis", static_cast<std::int64_t>(axis)}}));
        break;
      case 1:
        add(part(x, axis, 0, cut));
        add(part(x, axis, cut, e));
        break;
      default:
        add(part(x, axis, random_.below(cut), e, 1 + random_.below(2)));
    }
    if (e % 2 == 0 && coin()) {  // a gate
      const auto gate = node("sigmoid", {part(x, axis, e / 2, e)});
      add(node("mul", {part(x, axis, 0, e / 2), gate}));
    }
  }

  void gather(const std::string& op) {
    const auto x = pick();
    const auto axis = axis_of(x);
    Integers indices;
    for (auto i = 1 + random_.below(extent(x, axis) + 2); i > 0; --i)
      indices.push_back(random_.below(extent(x, axis)));
    add(node(op, {x}, {{"axis", static_cast<std::int64_t>(axis)}, {"indices", indices}}));
  }

  void pad(const std::string& op) {
    const auto x = pick();
    static const char* kModes[] = {"constant", "constant", "edge", "reflect", "circular"};
    const std::string mode = rank(x) == 4 ? kModes[below(5)] : "constant";
    Integers padding(2 * shape(x).size(), 0);
    for (std::size_t axis = mode == "constant" ? 1 : 2; axis < shape(x).size(); ++axis) {
      if (shape(x)[axis] < 2 || coin()) continue;
      padding[axis] = random_.below(2);
      padding[shape(x).size() + axis] = random_.below(2);
    }
    const auto padded = add(node(
        op, {x}, {{"padding", padding}, {"mode", mode}, {"value", coin() ? 0.0 : random_.uniform(-1, 1)}}));
    if (coin()) add(node("add", {padded, companion(padded)}));  // a shortcut with padded channels
  }

  /// Merges two axes, or splits one.
  void reshape(const std::string& op) {
    const auto x = pick();
    Integers target = shape(x);
    if (rank(x) > 2 && coin()) {
      const auto at = 1 + below(target.size() - 2);
      target[static_cast<std::size_t>(at)] *= target[static_cast<std::size_t>(at) + 1];
      target.erase(target.begin() + at + 1);
    } else {
      const auto at = static_cast<std::ptrdiff_t>(axis_of(x));
      for (std::int64_t factor = 2 + random_.below(3); factor > 1; --factor) {
        if (target[static_cast<std::size_t>(at)] % factor != 0) continue;
        target[static_cast<std::size_t>(at)] /= factor;
        target.insert(target.begin() + at + (coin() ? 1 : 0), factor);
        break;
      }
    }
    add(node(op, {x}, {{"shape", target}}));
  }

  void flatten(const std::string& op) { add(node(op, {pick()})); }

  void permute(const std::string& op) {
    const auto x = pick(3);
    std::vector<std::size_t> rest(shape(x).size() - 1);
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = i + 1;
    random_.shuffle(rest);
    Integers order = {0};
    for (const auto axis : rest) order.push_back(static_cast<std::int64_t>(axis));
    add(node(op, {x}, {{"order", order}}));
  }

  void expand(const std::string& op) {
    const auto x = pick();
    const auto axis = axis_of(x);
    const auto mean = node("reduce_mean", {x}, {{"axes", Integers{axis}}, {"keep", true}});
    const auto wide = add(node(op, {mean}, {{"shape", Integers(shape(x))}}));
    if (coin()) add(node("mul", {x, wide}));
  }

  void depth_to_space(const std::string& op) {
    const auto x = pick(4, 4);
    const auto deep = net_.conv(name("conv"), x, 4 * (1 + random_.below(4)));
    add(node(op, {deep}, {{"block", std::int64_t{2}}, {"order", std::string(coin() ? "crd" : "dcr")}}));
  }
  void space_to_depth(const std::string& op) {
    const auto x = pick(4, 4);
    if (extent(x, 2) % 2 != 0 || extent(x, 3) % 2 != 0) return;
    add(node(op, {x}, {{"block", std::int64_t{2}}, {"order", std::string(coin() ? "crd" : "dcr")}}));
  }

  void channel_shuffle(const std::string& op) {
    const auto x = pick();
    for (const std::int64_t groups : {4, 3, 2}) {
      if (extent(x, 1) % groups != 0) continue;
      const auto shuffled = add(node(op, {x}, {{"groups", groups}}));
      if (coin()) add(node("flatten", {shuffled}));
      return;
    }
  }

  void resize(const std::string& op) {
    const auto x = pick(4, 4);
    const bool nearest = coin();
    add(node(op, {x},
             {{"size", Integers{1 + random_.below(8), 1 + random_.below(8)}},
              {"mode", std::string(nearest ? "nearest" : "linear")},
              {"coordinates", std::string(nearest ? "asymmetric" : "half_pixel")}}));
  }

  void along_axis(const std::string& op) {
    const auto x = pick();
    add(node(op, {x}, {{"axis", static_cast<std::int64_t>(axis_of(x))}}));
  }

  /// Each value that nobody read goes through a linear layer; together they are the output.
  Graph finish() {
    std::set<ValueId> read;
    for (const auto& each : net_.graph.nodes()) read.insert(each.inputs.begin(), each.inputs.end());
    std::vector<ValueId> ends;
    for (const auto value : pool_) {
      if (read.contains(value)) continue;
      const auto flat = rank(value) == 2 ? value : node("flatten", {value});
      ends.push_back(net_.linear(name("end"), node("tanh", {flat}), 3));
    }
    return net_.done(ends.size() == 1 ? ends.front() : node("concat", ends, {{"axis", std::int64_t{1}}}));
  }

  Random& random_;
  Builder net_;
  std::vector<ValueId> pool_;
  int count_ = 0;
};

const std::map<std::string, Drawing::Step>& Drawing::steps() {
  static const std::map<std::string, Step> steps = [] {
    std::map<std::string, Step> table = {
        {"conv", &Drawing::conv},
        {"conv_transpose", &Drawing::conv},
        {"linear", &Drawing::linear},
        {"matmul", &Drawing::matmul},
        {"batch_norm", &Drawing::batch_norm},
        {"layer_norm", &Drawing::norm},
        {"group_norm", &Drawing::norm},
        {"instance_norm", &Drawing::norm},
        {"clip", &Drawing::clip},
        {"prelu", &Drawing::prelu},
        {"max_pool", &Drawing::pool},
        {"avg_pool", &Drawing::pool},
        {"global_avg_pool", &Drawing::global_pool},
        {"global_max_pool", &Drawing::global_pool},
        {"adaptive_avg_pool", &Drawing::adaptive_pool},
        {"adaptive_max_pool", &Drawing::adaptive_pool},
        {"concat", &Drawing::concat},
        {"slice", &Drawing::slice},
        {"gather", &Drawing::gather},
        {"pad", &Drawing::pad},
        {"reshape", &Drawing::reshape},
        {"flatten", &Drawing::flatten},
        {"permute", &Drawing::permute},
        {"expand", &Drawing::expand},
        {"depth_to_space", &Drawing::depth_to_space},
        {"space_to_depth", &Drawing::space_to_depth},
        {"channel_shuffle", &Drawing::channel_shuffle},
        {"resize", &Drawing::resize},
        {"softmax", &Drawing::along_axis},
        {"log_softmax", &Drawing::along_axis},
    };
    for (const auto* op :
         {"relu",         "relu6", "sigmoid", "tanh", "hard_swish", "silu",     "mish",        "softsign",
          "selu",         "abs",   "neg",     "erf",  "sin",        "cos",      "log_sigmoid", "identity",
          "hard_sigmoid", "gelu",  "elu",     "celu", "leaky_relu", "softplus", "dropout"})
      table[op] = &Drawing::unary;
    for (const auto* op : {"exp", "log", "sqrt", "rsqrt", "reciprocal"}) table[op] = &Drawing::of_positive;
    for (const auto* op : {"floor", "ceil", "round", "sign"}) table[op] = &Drawing::rounding;
    for (const auto* op : {"add", "sub", "mul", "div", "pow", "maximum", "minimum"})
      table[op] = &Drawing::binary;
    for (const auto* op :
         {"reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1", "reduce_l2"})
      table[op] = &Drawing::reduce;
    return table;
  }();
  return steps;
}

}  // namespace

Graph draw_from_op_table(Random& random) { return Drawing(random).draw(); }

std::vector<std::string> drawn_operators() {
  std::vector<std::string> names;
  for (const auto& [op, step] : Drawing::steps()) names.push_back(op);
  return names;
}

}  // namespace compress::testing
