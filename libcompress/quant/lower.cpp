#include "libcompress/quant/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cfloat>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// For each axis of an 8-bit value the axis of its float value, or kAdded.
using AxisOrder = std::vector<int>;
constexpr int kAdded = -1;  ///< an axis of extent 1 that the float value does not have

AxisOrder natural_order(std::size_t rank) {
  AxisOrder order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// Channels last, sequences as images of height 1; what has the float value's name is in this order.
AxisOrder canonical_order(std::size_t rank) {
  if (rank == 4) return {0, 2, 3, 1};
  if (rank == 3) return {0, kAdded, 2, 1};
  return natural_order(rank);
}

/// An 8-bit value that holds a float value's numbers.
struct Form {
  QValueId id{};
  AxisOrder axes;
};

[[noreturn]] void refuse(const Node& node, std::string found, std::string allowed, std::string remedy) {
  throw Error(ErrorKind::input, {fmt::format("node '{}' cannot be quantized", node.name), std::move(found),
                                 std::move(allowed), std::move(remedy)});
}

/// Weights of one conv or linear, already in the 8-bit layout, output channel first.
struct FloatWeights {
  Shape shape;
  std::vector<float> weights;
  std::vector<float> bias;
};

/// What goes where, decided before any node is lowered.
struct LoweringPlan {
  std::map<NodeId, const Node*> relus;  ///< of the nodes whose clamp a relu becomes
  std::set<NodeId> absorbed;            ///< these relus
  std::map<ValueId, Range> ranges;      ///< of every value that chooses its own scale
};

class Planner {
 public:
  Planner(const Graph& graph, const ValueRanges& ranges) : graph_(graph), known_(ranges) {}

  LoweringPlan run() {
    for (const auto& node : graph_.nodes()) join_relu(node);
    for (const auto& value : graph_.values()) {
      const auto found = known_.find(value.name);
      if (found != known_.end()) plan_.ranges[value.id] = found->second;
    }
    auto order = graph_.topological_order();
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      if (graph_.node(*id).op == "concat") share_range(graph_.node(*id));
    }
    return std::move(plan_);
  }

 private:
  bool is_output(ValueId id) const {
    return std::find(graph_.outputs().begin(), graph_.outputs().end(), id) != graph_.outputs().end();
  }
  bool read_once(ValueId id) const { return !is_output(id) && graph_.consumers(id).size() == 1; }

  void join_relu(const Node& node) {
    static const std::set<std::string, std::less<>> kClamping = {"conv", "linear", "add", "batch_norm"};
    if (!kClamping.contains(node.op) || !read_once(node.output)) return;
    const auto& reader = graph_.node(graph_.consumers(node.output)[0]);
    if (reader.op != "relu") return;
    plan_.relus[node.id] = &reader;
    plan_.absorbed.insert(reader.id);
  }

  /// Inputs that nobody else reads take the concat's scale where they are made, so that nothing is rounded
  /// twice. Its range grows to theirs: what a max pool drops must not be clipped before it.
  void share_range(const Node& concat) {
    if (!plan_.ranges.contains(concat.output)) return;
    std::vector<ValueId> sharing = {concat.output};
    for (const auto id : concat.inputs) {
      const auto origin = scale_origin(id);
      if (origin && plan_.ranges.contains(*origin)) sharing.push_back(*origin);
    }
    Range all = plan_.ranges.at(concat.output);
    for (const auto id : sharing) {
      all.low = std::min(all.low, plan_.ranges.at(id).low);
      all.high = std::max(all.high, plan_.ranges.at(id).high);
    }
    for (const auto id : sharing) plan_.ranges[id] = all;
  }

  /// The value that decides the scale of `id`, if every reader of it and of those between leads to `id`. A
  /// mean is narrower than what it averages: its scale is better changed behind it.
  std::optional<ValueId> scale_origin(ValueId id) const {
    static const std::set<std::string, std::less<>> kSharing = {"max_pool", "permute", "flatten"};
    static const std::set<std::string, std::less<>> kFixed = {"softmax", "avg_pool", "global_avg_pool"};
    for (;;) {
      const auto* producer = graph_.producer(id);
      if (!producer || !read_once(id) || kFixed.contains(producer->op)) return std::nullopt;
      if (!kSharing.contains(producer->op)) return id;
      id = producer->inputs[0];
    }
  }

  const Graph& graph_;
  const ValueRanges& known_;
  LoweringPlan plan_;
};

class Lowering {
 public:
  Lowering(const Model& model, const ValueRanges& ranges, const std::string& profile,
           const NodeNames& one_scale)
      : model_(model), graph_(model.graph), plan_(Planner(model.graph, ranges).run()), one_scale_(one_scale) {
    result_.name = model.name;
    result_.profile = profile;
  }

  QuantizedGraph run() {
    if (graph_.inputs().size() != 1)
      throw Error(ErrorKind::input,
                  {"the network", fmt::format("{} inputs", graph_.inputs().size()), "1", ""});
    const auto& input = graph_.value(graph_.inputs()[0]);
    const auto axes = canonical_order(input.shape.size());
    const auto id = add_activation(input.name, shape_in(input.id, axes), chosen_scale(input.id));
    forms_[input.id] = {{id, axes}};
    result_.inputs = {id};
    for (const auto node : graph_.topological_order()) {
      if (!plan_.absorbed.contains(node)) lower(graph_.node(node));
    }
    for (const auto output : graph_.outputs())
      result_.outputs.push_back(form(output, canonical_order(graph_.value(output).shape.size())));
    drop_unread();
    verify(result_);
    return std::move(result_);
  }

 private:
  using Rule = void (Lowering::*)(const Node&);

  void lower(const Node& node) {
    static const std::map<std::string, Rule, std::less<>> kRules = {
        {"conv", &Lowering::lower_conv},
        {"linear", &Lowering::lower_linear},
        {"batch_norm", &Lowering::lower_norm},
        {"max_pool", &Lowering::lower_pool<QMaxPool>},
        {"avg_pool", &Lowering::lower_pool<QAvgPool>},
        {"global_avg_pool", &Lowering::lower_global_pool},
        {"relu", &Lowering::lower_relu},
        {"add", &Lowering::lower_add},
        {"concat", &Lowering::lower_concat},
        {"permute", &Lowering::lower_permute},
        {"flatten", &Lowering::lower_flatten},
        {"softmax", &Lowering::lower_softmax},
        {"dropout", &Lowering::lower_nothing},
    };
    const auto rule = kRules.find(node.op);
    if (rule == kRules.end()) {
      std::string known;
      for (const auto& [name, unused] : kRules) known += (known.empty() ? "" : ", ") + name;
      refuse(node, "operator '" + node.op + "'", known, "replace it, or keep the network in float32");
    }
    refuse_other_forms(node);
    (this->*rule->second)(node);
  }

  /// What the float operators can do and their 8-bit forms cannot.
  void refuse_other_forms(const Node& node) const {
    const auto& attributes = node.attributes;
    const auto refuse_if = [&](bool other, const char* found, const char* allowed) {
      if (other) refuse(node, found, allowed, "keep the network in float32");
    };
    const auto is_constant = [&](ValueId id) {
      const auto kind = graph_.value(id).kind;
      return kind == ValueKind::parameter || kind == ValueKind::buffer;
    };
    const bool has_weights = node.op == "conv" || node.op == "linear" || node.op == "batch_norm";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      refuse_if(has_weights && i > 0 && !is_constant(node.inputs[i]), "a computed weight", "a parameter");
      refuse_if((!has_weights || i == 0) && is_constant(node.inputs[i]), "a constant as input",
                "an activation");
    }
    if (node.op == "add")
      refuse_if(graph_.value(node.inputs[0]).shape != graph_.value(node.inputs[1]).shape,
                "shapes that broadcast", "two equal shapes");
    if (node.op == "permute")
      refuse_if(attributes.integers("order")[0] != 0, "a batch that moves", "the batch first");
    if (node.op == "concat" || node.op == "softmax")
      refuse_if(attributes.integer("axis") == 0, "axis 0", "an axis behind the batch");
    if (node.op == "max_pool" || node.op == "avg_pool") {
      refuse_if(attributes.boolean("ceil"), "windows that hang over the end", "windows that fit");
      const auto& padding = attributes.integers("padding");
      refuse_if(node.op == "avg_pool" && attributes.boolean("count_padding") &&
                    std::any_of(padding.begin(), padding.end(), [](auto pad) { return pad > 0; }),
                "padding that counts", "padding that does not");
    }
    if (node.op == "max_pool") {
      const auto& dilation = attributes.integers("dilation");
      refuse_if(std::any_of(dilation.begin(), dilation.end(), [](auto step) { return step > 1; }),
                "dilated windows", "a dilation of 1");
    }
  }

  // Values

  const QValue& value(QValueId id) const { return result_.value(id); }
  std::size_t rank(ValueId id) const { return graph_.value(id).shape.size(); }

  std::string unique(const std::string& name) {
    auto candidate = name;
    for (int i = 2; !names_.insert(candidate).second; ++i) candidate = fmt::format("{}#{}", name, i);
    return candidate;
  }

  QValueId add_value(QValue value) {
    value.id = QValueId{static_cast<std::int32_t>(result_.values.size())};
    value.name = unique(value.name);
    result_.values.push_back(std::move(value));
    return result_.values.back().id;
  }

  QValueId add_activation(const std::string& name, Shape shape, Scale scale) {
    QValue made;
    made.name = name;
    made.shape = std::move(shape);
    made.scale = scale.scale;
    made.zero_point = scale.zero_point;
    return add_value(std::move(made));
  }

  QValueId add_constant(const std::string& name, Tensor data, std::vector<float> scales) {
    QValue made;
    made.name = name;
    made.dtype = data.dtype();
    made.shape = data.shape();
    made.channel_scales = std::move(scales);
    made.constant = std::move(data);
    return add_value(std::move(made));
  }

  QValueId add_node(const std::string& name, QOp op, std::vector<QValueId> inputs, QValueId output) {
    result_.nodes.push_back({name, std::move(op), std::move(inputs), output});
    return output;
  }

  /// A node that keeps the numbers and so the scale.
  QValueId add_same_scale(const std::string& name, QOp op, QValueId from, const std::string& value_name,
                          Shape shape) {
    const Scale scale{value(from).scale, value(from).zero_point};
    return add_node(name, std::move(op), {from}, add_activation(value_name, std::move(shape), scale));
  }

  /// The scale that `id` gets from calibration.
  Scale chosen_scale(ValueId id) const {
    const auto& name = graph_.value(id).name;
    const auto where = fmt::format("value '{}'", name);
    const auto found = plan_.ranges.find(id);
    if (found == plan_.ranges.end())
      throw Error(ErrorKind::input,
                  {where, "no calibration range", "one for every activation", "calibrate this network"});
    const auto [low, high] = found->second;
    if (!std::isfinite(low) || !std::isfinite(high) || low > high)
      throw Error(ErrorKind::input, {where, fmt::format("a calibration range of {} to {}", low, high),
                                     "finite, ascending", ""});
    if (low == high || static_cast<double>(high) - low < 255.0 * FLT_MIN) {
      throw Error(ErrorKind::input,
                  {where, fmt::format("{} in every calibration input", low), "activations that vary",
                   "calibrate with more and real inputs; if it stays, the layer is dead: prune it"});
    }
    return scale_for(found->second);
  }

  /// Where `node`'s result goes: behind the relu that joined it.
  ValueId result_of(const Node& node) const {
    const auto relu = plan_.relus.find(node.id);
    return relu == plan_.relus.end() ? node.output : relu->second->output;
  }
  bool has_relu(const Node& node) const { return plan_.relus.contains(node.id); }

  // Layout

  Shape shape_in(ValueId id, const AxisOrder& axes) const {
    Shape shape;
    for (const int axis : axes)
      shape.push_back(axis == kAdded ? 1 : graph_.value(id).shape[static_cast<std::size_t>(axis)]);
    return shape;
  }

  /// The name of a value in the order `axes`: the float value's own name belongs to the canonical order.
  std::string name_in(ValueId id, const AxisOrder& axes) const {
    const auto& name = graph_.value(id).name;
    return axes == canonical_order(rank(id)) ? name : name + "/moved";
  }

  /// `id` in the order `axes`; moves it there if nobody has needed it so far.
  QValueId form(ValueId id, const AxisOrder& axes) {
    auto& known = forms_.at(id);
    for (const auto& each : known) {
      if (each.axes == axes) return each.id;
    }
    const auto moved = move(id, known.front(), axes);
    forms_.at(id).push_back({moved, axes});
    return moved;
  }
  QValueId canonical(ValueId id) { return form(id, canonical_order(rank(id))); }
  QValueId natural(ValueId id) { return form(id, natural_order(rank(id))); }

  /// Positions in `from` in the order that `to` asks for, added axes right behind the batch.
  static std::vector<std::int32_t> moves(const AxisOrder& from, const AxisOrder& to) {
    std::vector<std::int32_t> order = {0};
    for (std::size_t i = 1; i < from.size(); ++i) {
      if (from[i] == kAdded) order.push_back(static_cast<std::int32_t>(i));
    }
    for (const int axis : to) {
      if (axis <= 0) continue;
      order.push_back(static_cast<std::int32_t>(std::find(from.begin(), from.end(), axis) - from.begin()));
    }
    return order;
  }

  /// Whether elements change places: axes of extent 1 move for free.
  static bool reorders(const Shape& shape, const std::vector<std::int32_t>& order) {
    std::int32_t last = -1;
    for (const auto axis : order) {
      if (shape[static_cast<std::size_t>(axis)] == 1) continue;
      if (axis < last) return true;
      last = axis;
    }
    return false;
  }

  QValueId move(ValueId id, const Form& from, const AxisOrder& axes) {
    const auto& name = graph_.value(id).name;
    const auto target = shape_in(id, axes);
    const auto order = moves(from.axes, axes);
    const auto shape = value(from.id).shape;
    auto current = from.id;
    if (reorders(shape, order)) {
      Shape transposed;
      for (const auto axis : order) transposed.push_back(shape[static_cast<std::size_t>(axis)]);
      const auto value_name = transposed == target ? name_in(id, axes) : name + "/transpose";
      current = add_same_scale(name + "/transpose", QTranspose{order}, current, value_name, transposed);
    }
    if (value(current).shape == target) return current;
    return add_same_scale(name + "/reshape", QReshape{}, current, name_in(id, axes), target);
  }

  // Windows

  /// Entries of an attribute along [height, width]; a sequence has no height, an empty list says `absent`.
  static std::array<std::int32_t, 2> along_image(std::span<const std::int64_t> entries, std::int32_t absent) {
    if (entries.empty()) return {absent, absent};
    const auto narrow = [](std::int64_t x) {
      return static_cast<std::int32_t>(std::min<std::int64_t>(x, INT32_MAX));
    };
    if (entries.size() == 1) return {absent, narrow(entries[0])};
    return {narrow(entries[0]), narrow(entries[1])};
  }

  Window window_of(const Node& node, std::span<const std::int64_t> kernel) const {
    if (kernel.size() > 2)
      refuse(node, fmt::format("a window over {} axes", kernel.size()), "one or two",
             "keep the network in float32");
    Window window;
    const auto fill = [&](std::int32_t (&to)[2], std::span<const std::int64_t> from, std::int32_t absent) {
      const auto entries = along_image(from, absent);
      std::copy(entries.begin(), entries.end(), to);
    };
    const std::span<const std::int64_t> padding = node.attributes.integers("padding");
    fill(window.kernel, kernel, 1);
    fill(window.stride, node.attributes.integers("stride"), 1);
    fill(window.pad_begin, padding.first(padding.size() / 2), 0);
    fill(window.pad_end, padding.subspan(padding.size() / 2), 0);
    if (node.attributes.has("dilation")) fill(window.dilation, node.attributes.integers("dilation"), 1);
    return window;
  }

  // Weighted operators

  std::span<const float> weight(ValueId id) const {
    return model_.weights.find(graph_.value(id).name)->second.as<float>();
  }

  std::vector<float> bias_of(const Node& node, std::int64_t outputs) const {
    if (node.inputs.size() < 3) return std::vector<float>(static_cast<std::size_t>(outputs), 0.0f);
    const auto bias = weight(node.inputs[2]);
    return {bias.begin(), bias.end()};
  }

  /// One scale an output channel: the smallest that holds the largest weight, but not so small that the bias
  /// would leave int32 or that a dead channel's factor would vanish.
  static std::vector<float> weight_scales(const FloatWeights& from, const QValue& x, const QValue& y) {
    const double floor = static_cast<double>(y.scale) / x.scale * 0x1p-20;
    std::vector<float> scales;
    const auto an_output = from.weights.size() / from.bias.size();
    for (std::size_t o = 0; o < from.bias.size(); ++o) {
      double largest = 0;
      for (std::size_t i = 0; i < an_output; ++i)
        largest = std::max(largest, std::abs(static_cast<double>(from.weights[o * an_output + i])));
      const double for_bias = std::abs(static_cast<double>(from.bias[o])) / (x.scale * 0x1p30);
      scales.push_back(
          static_cast<float>(std::max({largest / 127, floor, for_bias, static_cast<double>(FLT_MIN)})));
    }
    return scales;
  }

  static Tensor quantized_weights(const FloatWeights& from, const std::vector<float>& scales) {
    Tensor tensor(DType::int8, from.shape);
    const auto to = tensor.as<std::int8_t>();
    const auto an_output = to.size() / scales.size();
    for (std::size_t i = 0; i < to.size(); ++i) {
      const double ratio = static_cast<double>(from.weights[i]) / scales[i / an_output];
      to[i] = static_cast<std::int8_t>(std::clamp(std::round(ratio), -127.0, 127.0));
    }
    return tensor;
  }

  static Tensor quantized_bias(const FloatWeights& from, const std::vector<float>& scales,
                               float input_scale) {
    Tensor tensor(DType::int32, {static_cast<std::int64_t>(scales.size())});
    const auto to = tensor.as<std::int32_t>();
    for (std::size_t o = 0; o < to.size(); ++o) {
      const double steps = from.bias[o] / (static_cast<double>(input_scale) * scales[o]);
      to[o] = static_cast<std::int32_t>(std::clamp(std::round(steps), -0x1p31 + 1, 0x1p31 - 1));
    }
    return tensor;
  }

  /// Completes and adds a QConv or QLinear; `name` and `shape` are those of its result.
  template <typename Op>
  QValueId add_weighted(const Node& node, Op op, QValueId x, const FloatWeights& from,
                        const std::string& name, Shape shape) {
    const auto y = add_activation(name, std::move(shape), chosen_scale(result_of(node)));
    auto scales = weight_scales(from, value(x), value(y));
    if (one_scale_.contains(node.name))
      scales.assign(scales.size(), *std::max_element(scales.begin(), scales.end()));
    std::vector<float> bias_scales;
    for (const auto scale : scales) bias_scales.push_back(value(x).scale * scale);
    const auto w = add_constant(node.name + ".weight", quantized_weights(from, scales), scales);
    const auto b =
        add_constant(node.name + ".bias", quantized_bias(from, scales, value(x).scale), bias_scales);
    for (std::size_t o = 0; o < scales.size(); ++o) {
      const double factor = weight_factor(value(x), value(w), o, value(y));
      if (!(factor < 0x1p30)) {
        refuse(
            node,
            fmt::format("weights of output {} so large that one step is {} steps of the result", o, factor),
            "below 2^30", "calibrate with inputs that drive this layer");
      }
      op.requantization.push_back(to_requantization(factor));
    }
    if (has_relu(node)) op.clamp_min = value(y).zero_point;
    return add_node(node.name, std::move(op), {x, w, b}, y);
  }

  void lower_conv(const Node& node) {
    const auto& shape = graph_.value(node.inputs[1]).shape;
    QConv op;
    op.window = window_of(node, std::span(shape).subspan(2));
    op.groups = static_cast<std::int32_t>(node.attributes.integer("groups"));
    FloatWeights from;
    from.shape = {shape[0], op.window.kernel[0], op.window.kernel[1], shape[1]};
    from.weights = channels_last(weight(node.inputs[1]), shape[0], shape[1]);
    from.bias = bias_of(node, shape[0]);
    add_image_result(node, op, canonical(node.inputs[0]), from);
  }

  /// [O, C, taps] to [O, taps, C].
  static std::vector<float> channels_last(std::span<const float> from, std::int64_t outputs,
                                          std::int64_t channels) {
    std::vector<float> to;
    to.reserve(from.size());
    const auto c_count = static_cast<std::size_t>(channels);
    const auto taps = from.size() / static_cast<std::size_t>(outputs) / c_count;
    for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
      for (std::size_t t = 0; t < taps; ++t) {
        for (std::size_t c = 0; c < c_count; ++c) to.push_back(from[(o * c_count + c) * taps + t]);
      }
    }
    return to;
  }

  void add_image_result(const Node& node, QConv op, QValueId x, const FloatWeights& from) {
    const auto result = result_of(node);
    const auto axes = canonical_order(rank(result));
    forms_[result] = {
        {add_weighted(node, std::move(op), x, from, name_in(result, axes), shape_in(result, axes)), axes}};
  }

  /// A batch norm that found no layer to fold into: a depthwise 1x1 convolution.
  void lower_norm(const Node& node) {
    const auto gamma = weight(node.inputs[1]);
    const auto beta = weight(node.inputs[2]);
    const auto mean = weight(node.inputs[3]);
    const auto variance = weight(node.inputs[4]);
    const double epsilon = node.attributes.number("epsilon");
    const auto channels = static_cast<std::int64_t>(gamma.size());
    FloatWeights from;
    from.shape = {channels, 1, 1, 1};
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      const double factor = gamma[c] / std::sqrt(variance[c] + epsilon);
      from.weights.push_back(static_cast<float>(factor));
      from.bias.push_back(static_cast<float>(beta[c] - mean[c] * factor));
      if (!std::isfinite(from.weights.back()) || !std::isfinite(from.bias.back()))
        refuse(node, "a batch norm that is not finite",
               "running variances of 0 or more with a sensible epsilon", "");
    }
    QConv op;
    op.groups = static_cast<std::int32_t>(channels);
    const auto x = canonical(node.inputs[0]);
    if (rank(node.inputs[0]) == 3 || rank(node.inputs[0]) == 4) return add_image_result(node, op, x, from);
    if (rank(node.inputs[0]) != 2)
      refuse(node, fmt::format("an input of {} axes", rank(node.inputs[0])), "2 to 4",
             "keep the network in float32");
    const auto image =
        add_same_scale(node.name + "/reshape", QReshape{}, x, node.name + "/image", {1, 1, 1, channels});
    const auto result = result_of(node);
    const auto y = add_weighted(node, op, image, from, node.name + "/image_result", {1, 1, 1, channels});
    const auto flat =
        add_same_scale(node.name + "/reshape", QReshape{}, y, graph_.value(result).name, {1, channels});
    forms_[result] = {{flat, natural_order(2)}};
  }

  void lower_linear(const Node& node) {
    const auto& shape = graph_.value(node.inputs[1]).shape;
    const auto x = natural(node.inputs[0]);
    FloatWeights from;
    from.shape = shape;
    const auto weights = weight(node.inputs[1]);
    from.weights.assign(weights.begin(), weights.end());
    const auto columns = columns_.find(node.inputs[0]);
    if (columns != columns_.end()) {
      const auto features = columns->second.size();
      for (std::size_t i = 0; i < weights.size(); ++i)
        from.weights[i] = weights[i / features * features + columns->second[i % features]];
    }
    from.bias = bias_of(node, shape[0]);
    const auto result = result_of(node);
    const auto axes = natural_order(rank(result));
    const auto y = add_weighted(node, QLinear{}, x, from, name_in(result, axes), shape_in(result, axes));
    forms_[result] = {{y, axes}};
  }

  // Pools

  template <typename Pool>
  void lower_pool(const Node& node) {
    Pool op;
    op.window = window_of(node, node.attributes.integers("kernel"));
    add_pool(node, op);
  }

  void lower_global_pool(const Node& node) {
    const auto& shape = graph_.value(node.inputs[0]).shape;
    if (shape.size() > 4)
      refuse(node, fmt::format("a mean over {} axes", shape.size() - 2), "one or two", "");
    QAvgPool op;
    const auto kernel = along_image(std::span(shape).subspan(2), 1);
    std::copy(kernel.begin(), kernel.end(), op.window.kernel);
    add_pool(node, op);
  }

  void add_pool(const Node& node, QOp op) {
    const auto axes = canonical_order(rank(node.output));
    const auto y = add_same_scale(node.name, std::move(op), canonical(node.inputs[0]),
                                  graph_.value(node.output).name, shape_in(node.output, axes));
    forms_[node.output] = {{y, axes}};
  }

  // Elementwise

  QValueId add_result(const Node& node, QOp op, std::vector<QValueId> inputs, ValueId result, Scale scale) {
    const auto axes = canonical_order(rank(result));
    const auto y = add_activation(graph_.value(result).name, shape_in(result, axes), scale);
    forms_[result] = {{y, axes}};
    return add_node(node.name, std::move(op), std::move(inputs), y);
  }

  /// A relu behind something that does not clamp.
  void lower_relu(const Node& node) {
    const auto x = canonical(node.inputs[0]);
    const auto scale = chosen_scale(node.output);
    add_result(node, requantize_to(node, value(x), scale, scale.zero_point), {x}, node.output, scale);
  }

  static QRequantize requantize_to(const Node& node, const QValue& x, Scale scale, std::int32_t clamp_min) {
    const double factor = static_cast<double>(x.scale) / static_cast<double>(scale.scale);
    if (!(factor < 0x1p22)) {
      refuse(node, fmt::format("a result whose step is {} of its input's", 1 / factor), "2^-22 or more",
             "calibrate with inputs that drive it");
    }
    QRequantize op;
    op.requantization = to_requantization(factor);
    op.clamp_min = clamp_min;
    return op;
  }

  void lower_add(const Node& node) {
    const auto left = canonical(node.inputs[0]);
    const auto right = canonical(node.inputs[1]);
    const auto result = result_of(node);
    const auto scale = chosen_scale(result);
    QValue output;
    output.scale = scale.scale;
    auto op = add_for(value(left), value(right), output);
    if (has_relu(node)) op.clamp_min = scale.zero_point;
    add_result(node, op, {left, right}, result, scale);
  }

  void lower_softmax(const Node& node) {
    const auto axis = static_cast<int>(node.attributes.integer("axis"));
    auto axes = canonical_order(rank(node.output));
    if (axes.back() != axis) {
      axes = natural_order(rank(node.output));
      axes.erase(axes.begin() + axis);
      axes.push_back(axis);
    }
    const auto x = form(node.inputs[0], axes);
    const auto y =
        add_activation(name_in(node.output, axes), shape_in(node.output, axes), {1.0f / 256, -128});
    forms_[node.output] = {{add_node(node.name, softmax_for(value(x)), {x}, y), axes}};
  }

  void lower_nothing(const Node& node) { forms_[node.output] = forms_.at(node.inputs[0]); }

  // Movement

  void lower_concat(const Node& node) {
    const auto axes = canonical_order(rank(node.output));
    const auto scale = chosen_scale(node.output);
    QConcat op;
    const auto axis = static_cast<int>(node.attributes.integer("axis"));
    op.axis = static_cast<std::int32_t>(std::find(axes.begin(), axes.end(), axis) - axes.begin());
    std::vector<QValueId> inputs;
    for (const auto id : node.inputs) inputs.push_back(with_scale(node, canonical(id), scale));
    add_result(node, op, std::move(inputs), node.output, scale);
  }

  QValueId with_scale(const Node& node, QValueId id, Scale scale) {
    if (value(id).scale == scale.scale && value(id).zero_point == scale.zero_point) return id;
    const auto name = value(id).name + "/requantized";
    const auto made = add_activation(name, value(id).shape, scale);
    return add_node(name, requantize_to(node, value(id), scale, -128), {id}, made);
  }

  /// Costs nothing here: the same bytes under another order of axes, moved when somebody needs them
  /// otherwise.
  void lower_permute(const Node& node) {
    const auto& order = node.attributes.integers("order");
    auto moved = forms_.at(node.inputs[0]).front();
    for (auto& axis : moved.axes) {
      if (axis != kAdded)
        axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
    }
    forms_[node.output] = {moved};
  }

  void lower_flatten(const Node& node) {
    const auto input = node.inputs[0];
    const auto from = forms_.at(input).front();
    if (!reorders(value(from.id).shape, moves(from.axes, natural_order(rank(input))))) {
      add_flat(node, from.id, graph_.value(node.output).name);
    } else if (only_linear_reads(node.output)) {
      columns_[node.output] = natural_positions(graph_.value(input).shape, from.axes);
      add_flat(node, from.id, graph_.value(node.output).name + "/moved");
    } else {
      add_flat(node, natural(input), graph_.value(node.output).name);
    }
  }

  void add_flat(const Node& node, QValueId from, const std::string& name) {
    const auto& shape = graph_.value(node.output).shape;
    const auto id =
        value(from).shape == shape ? from : add_same_scale(node.name, QReshape{}, from, name, shape);
    forms_[node.output] = {{id, natural_order(2)}};
  }

  bool only_linear_reads(ValueId id) const {
    const auto readers = graph_.consumers(id);
    const auto& outputs = graph_.outputs();
    return readers.size() == 1 && graph_.node(readers[0]).op == "linear" &&
           std::find(outputs.begin(), outputs.end(), id) == outputs.end();
  }

  /// For each element in the order `axes` its position in row-major order of `shape`.
  static std::vector<std::size_t> natural_positions(const Shape& shape, const AxisOrder& axes) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    std::vector<std::size_t> positions = {0};
    for (const int axis : axes) {
      if (axis == kAdded) continue;
      std::vector<std::size_t> next;
      for (const auto position : positions) {
        for (std::int64_t i = 0; i < shape[static_cast<std::size_t>(axis)]; ++i)
          next.push_back(position + static_cast<std::size_t>(i * strides[static_cast<std::size_t>(axis)]));
      }
      positions = std::move(next);
    }
    return positions;
  }

  /// Nodes that moved something which then nobody read.
  void drop_unread() {
    std::vector<bool> read(result_.values.size());
    for (const auto id : result_.inputs) read[index_of(id)] = true;
    for (const auto id : result_.outputs) read[index_of(id)] = true;
    std::vector<QNode> kept;
    for (auto node = result_.nodes.rbegin(); node != result_.nodes.rend(); ++node) {
      if (!read[index_of(node->output)]) continue;
      for (const auto id : node->inputs) read[index_of(id)] = true;
      kept.push_back(std::move(*node));
    }
    result_.nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
    renumber(read);
  }

  void renumber(const std::vector<bool>& read) {
    std::vector<QValue> kept;
    std::vector<QValueId> renumbered(read.size());
    for (auto& each : result_.values) {
      if (!read[index_of(each.id)]) continue;
      const auto id = QValueId{static_cast<std::int32_t>(kept.size())};
      renumbered[index_of(each.id)] = id;
      each.id = id;
      kept.push_back(std::move(each));
    }
    result_.values = std::move(kept);
    const auto move_all = [&](std::vector<QValueId>& ids) {
      for (auto& id : ids) id = renumbered[index_of(id)];
    };
    for (auto& node : result_.nodes) {
      move_all(node.inputs);
      node.output = renumbered[index_of(node.output)];
    }
    move_all(result_.inputs);
    move_all(result_.outputs);
  }

  const Model& model_;
  const Graph& graph_;
  LoweringPlan plan_;
  const NodeNames& one_scale_;
  QuantizedGraph result_;
  std::set<std::string, std::less<>> names_;
  std::map<ValueId, std::vector<Form>> forms_;
  std::map<ValueId, std::vector<std::size_t>>
      columns_;  ///< flattened values whose linear reorders its weights
};

/// Calls use(NHWC position, NCHW position) for each element; other ranks are the same on both sides.
template <typename Use>
void for_each_position(const Shape& shape, const Use& use) {
  if (shape.size() != 4) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(shape)); ++i) use(i, i);
    return;
  }
  const auto area = static_cast<std::size_t>(shape[1] * shape[2]);
  const auto channels = static_cast<std::size_t>(shape[3]);
  for (std::size_t cell = 0; cell < area; ++cell) {
    for (std::size_t c = 0; c < channels; ++c) use(cell * channels + c, c * area + cell);
  }
}

}  // namespace

Scale scale_for(Range range) {
  const double low = std::min(range.low, 0.0f);
  const double high = std::max(range.high, 0.0f);
  assert(low < high);
  Scale result;
  result.scale = static_cast<float>((high - low) / 255);
  const double zero = std::round(-128 - low / result.scale);
  result.zero_point = static_cast<std::int32_t>(std::clamp(zero, -128.0, 127.0));
  return result;
}

QuantizedGraph lower(const Model& folded, const ValueRanges& ranges, const std::string& profile,
                     const NodeNames& one_scale) {
  verify(folded);
  return Lowering(folded, ranges, profile, one_scale).run();
}

std::vector<std::int8_t> quantize_input(const QuantizedGraph& graph, std::span<const float> input) {
  const auto& value = graph.value(graph.inputs[0]);
  if (static_cast<std::int64_t>(input.size()) != element_count(value.shape)) {
    throw Error(ErrorKind::usage, {fmt::format("int8 network '{}'", graph.name),
                                   fmt::format("an input of {} elements", input.size()),
                                   fmt::format("{}", element_count(value.shape)), ""});
  }
  std::vector<std::int8_t> result(input.size());
  for_each_position(value.shape, [&](std::size_t to, std::size_t from) {
    if (!std::isfinite(input[from]))
      throw Error(ErrorKind::input,
                  {"the input", fmt::format("{} at element {}", input[from], from), "finite numbers", ""});
    const float steps = std::round(input[from] / value.scale) + static_cast<float>(value.zero_point);
    result[to] = static_cast<std::int8_t>(std::clamp(steps, -128.0f, 127.0f));
  });
  return result;
}

std::vector<float> dequantize(const QValue& value, std::span<const std::int8_t> data) {
  if (static_cast<std::int64_t>(data.size()) != element_count(value.shape)) {
    throw Error(ErrorKind::usage,
                {fmt::format("int8 value '{}'", value.name), fmt::format("{} elements", data.size()),
                 fmt::format("{}", element_count(value.shape)), ""});
  }
  std::vector<float> result(data.size());
  for_each_position(value.shape, [&](std::size_t from, std::size_t to) {
    result[to] = value.scale * static_cast<float>(data[from] - value.zero_point);
  });
  return result;
}

std::vector<float> dequantize_output(const QuantizedGraph& graph, std::span<const std::int8_t> output) {
  return dequantize(graph.value(graph.outputs[0]), output);
}

}  // namespace compress
