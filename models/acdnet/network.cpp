#include "models/acdnet/network.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "libcompress/graph/op.h"

namespace compress::acdnet {
namespace {

using Integers = std::vector<std::int64_t>;

/// The pool behind convolution `number` (1 to 12), as its place among pool_windows().
std::optional<std::size_t> pool_behind(std::size_t number) {
  if (number == 12) return 5;
  if (number >= 3 && number % 2 == 1) return (number - 3) / 2;
  return std::nullopt;
}

/// Frames of 10 ms; the two strided convolutions have already divided the rate by 4.
std::int64_t frame_length(const Layout& layout) { return layout.sample_rate / 400; }

std::int64_t frame_count(const Layout& layout) {
  const auto behind_conv1 = (layout.input_length - 9) / 2 + 1;
  const auto behind_conv2 = (behind_conv1 - 5) / 2 + 1;
  return behind_conv2 / frame_length(layout);
}

class Builder {
 public:
  explicit Builder(const Layout& layout) : layout_(layout), windows_(pool_windows(layout)) {}

  Graph build() {
    here_ = graph_.add_input("input", {1, 1, 1, layout_.input_length});
    convolution(1, {1, 9}, {{"stride", Integers{1, 2}}});
    convolution(2, {1, 5}, {{"stride", Integers{1, 2}}});
    pool("max_pool", 2, {1, frame_length(layout_)});
    here_ = graph_.add_node("permute", "permute", {here_}, {{"order", Integers{0, 2, 1, 3}}});
    for (std::size_t number = 3; number <= 11; ++number) {
      convolution(number, {3, 3}, {{"padding", Integers{1, 1, 1, 1}}});
      if (const auto place = pool_behind(number)) pool("max_pool", number, windows_[*place]);
    }
    here_ = graph_.add_node("dropout", "dropout", {here_}, {{"rate", layout_.dropout}});
    convolution(12, {1, 1}, {});
    pool("avg_pool", 12, windows_[5]);
    here_ = graph_.add_node("flatten", "flatten", {here_});
    here_ = graph_.add_node(
        "linear", "fc",
        {here_, graph_.add_parameter("fc.weight", {layout_.classes, graph_.value(here_).shape[1]}),
         graph_.add_parameter("fc.bias", {layout_.classes})});
    graph_.set_outputs({graph_.add_node("softmax", "softmax", {here_})});
    return std::move(graph_);
  }

 private:
  void convolution(std::size_t number, Window kernel, Attributes attributes) {
    const auto outputs = layout_.channels[number - 1];
    const auto inputs = graph_.value(here_).shape[1];
    const auto weight = graph_.add_parameter(fmt::format("conv{}.weight", number),
                                             {outputs, inputs, kernel.height, kernel.width});
    here_ = graph_.add_node("conv", fmt::format("conv{}", number), {here_, weight}, std::move(attributes));
    const auto norm = fmt::format("bn{}", number);
    here_ = graph_.add_node("batch_norm", norm,
                            {here_, graph_.add_parameter(norm + ".weight", {outputs}),
                             graph_.add_parameter(norm + ".bias", {outputs}),
                             graph_.add_buffer(norm + ".running_mean", {outputs}),
                             graph_.add_buffer(norm + ".running_var", {outputs})});
    here_ = graph_.add_node("relu", fmt::format("relu{}", number), {here_});
  }

  void pool(std::string op, std::size_t number, Window window) {
    if (window.is_trivial()) return;
    const Integers extents{window.height, window.width};
    here_ = graph_.add_node(std::move(op), fmt::format("pool{}", number), {here_},
                            {{"kernel", extents}, {"stride", extents}});
  }

  const Layout& layout_;
  std::array<Window, 6> windows_;
  Graph graph_;
  ValueId here_{};
};

/// Numbers the modules of one nn.Sequential of the authors' code.
class ModuleNames {
 public:
  explicit ModuleNames(std::map<std::string, std::string>& names) : names_(names) {}

  void start(std::string block) {
    block_ = std::move(block);
    next_ = 0;
  }
  void skip(std::size_t modules) { next_ += modules; }

  void convolution(std::size_t number) {
    add(fmt::format("conv{}", number), {"weight"});
    add(fmt::format("bn{}", number), {"weight", "bias", "running_mean", "running_var"});
    skip(1);  // relu
  }

  void add(const std::string& node, const std::vector<std::string>& tensors) {
    for (const auto& tensor : tensors)
      names_[fmt::format("{}.{}", node, tensor)] = fmt::format("{}.{}.{}", block_, next_, tensor);
    ++next_;
  }

 private:
  std::map<std::string, std::string>& names_;
  std::string block_;
  std::size_t next_ = 0;
};

}  // namespace

Channels full_channels(std::int64_t classes) {
  return {8, 64, 32, 64, 64, 128, 128, 256, 256, 512, 512, classes};
}

std::array<Window, 6> pool_windows(const Layout& layout) {
  std::array<Window, 6> windows;
  std::int64_t height = layout.channels[1];
  std::int64_t width = frame_count(layout);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const bool last = i + 1 == windows.size();
    const auto extent = [last](std::int64_t length) { return length < 2 ? 1 : last ? length : 2; };
    windows[i] = {extent(height), extent(width)};
    height /= windows[i].height;
    width /= windows[i].width;
  }
  return windows;
}

Graph network(const Layout& layout) { return Builder(layout).build(); }

std::map<std::string, std::string> published_names(const Layout& layout) {
  const auto windows = pool_windows(layout);
  std::map<std::string, std::string> names;
  ModuleNames modules(names);
  modules.start("sfeb");
  modules.convolution(1);
  modules.convolution(2);
  modules.start("tfeb");
  for (std::size_t number = 3; number <= kConvolutions; ++number) {
    if (number == 12) modules.skip(1);  // dropout
    modules.convolution(number);
    const auto place = pool_behind(number);
    if (place && !windows[*place].is_trivial()) modules.skip(1);
  }
  modules.skip(1);  // flatten
  modules.add("fc", {"weight", "bias"});
  return names;
}

std::int64_t paper_flops(const Graph& graph) {
  std::int64_t flops = 0;
  for (const auto& node : graph.nodes()) {
    const auto shapes = graph.input_shapes(node);
    const auto& output = graph.value(node.output).shape;
    const auto cost = find_op(node.op, node.name).cost({node.name, node.attributes, shapes}, output);
    if (node.op == "softmax")
      flops += element_count(output);
    else if (node.op != "batch_norm")
      flops += cost.macs + cost.other_ops;
  }
  return flops;
}

}  // namespace compress::acdnet
