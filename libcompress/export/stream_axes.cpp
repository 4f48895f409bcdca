#include "libcompress/export/stream_axes.h"

#include <algorithm>
#include <utility>

namespace compress {
namespace {

constexpr std::size_t kImageRank = 4;

bool is_image(const Shape& shape) { return shape.size() == kImageRank; }

/// The bytes are in the same order on both sides.
bool turns_freely(const Shape& shape) { return !is_image(shape) || shape[1] == 1 || shape[2] == 1; }

std::int32_t turned_axis(std::int32_t axis) { return axis == 1 ? 2 : axis == 2 ? 1 : axis; }

class Turning {
 public:
  explicit Turning(const QuantizedGraph& graph) : from_(graph), to_(graph) {}

  QuantizedGraph run() {
    to_.nodes.clear();
    for (auto& value : to_.values)
      if (value.constant.empty() && is_image(value.shape)) std::swap(value.shape[1], value.shape[2]);
    for (const auto& node : from_.nodes) add(node);
    for (auto& output : to_.outputs)
      if (!turns_freely(from_.value(output).shape)) output = upright(output, from_.value(output).name);
    return std::move(to_);
  }

 private:
  void add(QNode node) {
    if (std::holds_alternative<QReshape>(node.op)) return add_reshape(node);
    const auto* mean = std::get_if<QMean>(&node.op);
    if (mean && !turns(*mean, node)) return add_upright(node);
    std::visit([&](auto& op) { turn(op, node); }, node.op);
    to_.nodes.push_back(std::move(node));
  }

  static void turn(Window& window) {
    for (auto* pair : {&window.kernel, &window.stride, &window.pad_begin, &window.pad_end, &window.dilation})
      std::swap((*pair)[0], (*pair)[1]);
  }

  void turn(QConv& conv, QNode& node) {
    turn(conv.window);
    turn_weights(index_of(node.inputs[1]));
  }
  static void turn(QMaxPool& pool, QNode&) { turn(pool.window); }
  static void turn(QAvgPool& pool, QNode&) { turn(pool.window); }
  void turn(QConcat& concat, QNode& node) {
    if (is_image(from_.value(node.output).shape)) concat.axis = turned_axis(concat.axis);
  }

  void turn(QTranspose& transpose, QNode& node) {
    if (!is_image(from_.value(node.output).shape)) return;
    const auto order = transpose.order;
    for (std::int32_t axis = 0; axis < static_cast<std::int32_t>(kImageRank); ++axis)
      transpose.order[static_cast<std::size_t>(axis)] =
          turned_axis(order[static_cast<std::size_t>(turned_axis(axis))]);
  }

  /// Over all rows and columns, or none.
  bool turns(const QMean& mean, const QNode& node) const {
    return !is_image(from_.value(node.inputs[0]).shape) || (mean.first_axis == 1 && mean.last_axis >= 2) ||
           (mean.first_axis == 3 && is_image(from_.value(node.output).shape));
  }
  void turn(QMean&, QNode&) {}

  void turn(QPad& pad, QNode&) {
    if (pad.begin.size() != kImageRank) return;
    std::swap(pad.begin[1], pad.begin[2]);
    std::swap(pad.end[1], pad.end[2]);
  }

  void turn(QSlice& slice, QNode&) {
    if (slice.begin.size() != kImageRank) return;
    std::swap(slice.begin[1], slice.begin[2]);
    std::swap(slice.step[1], slice.step[2]);
  }

  void turn(QAdd&, QNode& node) { turn_operands(node); }
  void turn(QMul&, QNode& node) { turn_operands(node); }
  void turn_operands(const QNode& node) {
    for (const auto id : node.inputs) {
      const auto& value = from_.value(id);
      if (!value.constant.empty() && is_image(value.shape)) turn_weights(index_of(id));
    }
  }

  /// Between an image as it was and its result as it is now.
  void add_upright(QNode node) {
    const auto& source = from_.value(node.inputs[0]);
    node.inputs[0] = turns_freely(source.shape) ? reshaped(node.inputs[0], source, node.name)
                                                : upright(node.inputs[0], node.name + ".upright");
    const auto turned = node.output;
    const auto& given = from_.value(turned);
    if (is_image(given.shape)) node.output = new_value(given, given.name + ".upright");
    to_.nodes.push_back(node);
    if (node.output == turned) return;
    QOp back = turns_freely(given.shape) ? QOp(QReshape{}) : QOp(QTranspose{{0, 2, 1, 3}});
    to_.nodes.push_back({node.name + ".turned", std::move(back), {node.output}, turned});
  }

  QValueId reshaped(QValueId id, const QValue& shape, const std::string& name) {
    const auto value = new_value(shape, shape.name + ".reshaped");
    to_.nodes.push_back({name + ".reshaped", QReshape{}, {id}, value});
    return value;
  }

  /// A reshape reads and gives bytes in the old order.
  void add_reshape(QNode node) {
    if (!turns_freely(from_.value(node.inputs[0]).shape))
      node.inputs[0] = upright(node.inputs[0], node.name + ".upright");
    const auto turned = node.output;
    const auto& given = from_.value(turned);
    if (!turns_freely(given.shape)) node.output = new_value(given, given.name + ".reshaped");
    to_.nodes.push_back(node);
    if (node.output != turned)
      to_.nodes.push_back({node.name + ".turned", QTranspose{{0, 2, 1, 3}}, {node.output}, turned});
  }

  template <typename Op>
  static void turn(Op&, QNode&) {}  // the same for every pixel, or on the last axis alone

  std::string unused(std::string name) const {
    const auto taken = [&](const QValue& value) { return value.name == name; };
    while (std::any_of(to_.values.begin(), to_.values.end(), taken)) name += "_";
    return name;
  }

  QValueId new_value(QValue value, const std::string& name) {
    value.id = QValueId{static_cast<std::int32_t>(to_.values.size())};
    value.name = unused(name);
    to_.values.push_back(std::move(value));
    return to_.values.back().id;
  }

  /// Whole images in the old order, by a transpose.
  QValueId upright(QValueId id, const std::string& name) {
    const auto value = new_value(from_.value(id), name + ".upright");
    to_.nodes.push_back({name, QTranspose{{0, 2, 1, 3}}, {id}, value});
    return value;
  }

  void turn_weights(std::size_t weight) {
    const auto& shape = from_.values[weight].shape;
    auto& turned = to_.values[weight];
    if (turned.constant.storage() != from_.values[weight].constant.storage())
      return;  // two layers share them
    const auto outputs = shape[0], height = shape[1], width = shape[2], channels = shape[3];
    turned.shape = {outputs, width, height, channels};
    turned.constant = Tensor(DType::int8, turned.shape);
    const auto source = from_.values[weight].constant.as<std::int8_t>();
    auto target = turned.constant.as<std::int8_t>().begin();
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t x = 0; x < width; ++x)
        for (std::int64_t y = 0; y < height; ++y)
          target = std::copy_n(source.begin() + ((o * height + y) * width + x) * channels, channels, target);
  }

  const QuantizedGraph& from_;
  QuantizedGraph to_;
};

}  // namespace

QuantizedGraph with_axes_swapped(const QuantizedGraph& graph) { return Turning(graph).run(); }

bool can_swap_axes(const QuantizedGraph& graph) { return turns_freely(graph.value(graph.inputs[0]).shape); }

}  // namespace compress
