// The structure of ACDNet, built from a list of widths.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "libcompress/graph/graph.h"

namespace compress::acdnet {

constexpr std::size_t kConvolutions = 12;
using Channels = std::array<std::int64_t, kConvolutions>;

/// The full network's. The twelfth convolution has as many channels as there are classes.
Channels full_channels(std::int64_t classes);

struct Layout {
  Channels channels =
      full_channels(50);  ///< outputs of conv1 .. conv12; conv2's become the height of an image
  std::int64_t classes = 50;
  std::int64_t input_length = 30225;  ///< samples
  std::int64_t sample_rate = 20000;   ///< Hz
  double dropout = 0.2;               ///< rate
};

struct Window {
  std::int64_t height = 1;
  std::int64_t width = 1;
  bool operator==(const Window&) const = default;
  bool is_trivial() const { return height == 1 && width == 1; }
};

/// The pools behind conv3, conv5, conv7, conv9, conv11 and conv12. Each of the first five halves an extent of
/// 2 or more, the last takes what is left. A trivial window means that there is no pool.
std::array<Window, 6> pool_windows(const Layout& layout);

/// Input [1, 1, 1, input_length], output [1, classes], probabilities. Nodes are called conv1, bn1, relu1,
/// ..., a pool after the convolution it follows (pool2); parameters as in PyTorch (conv1.weight,
/// bn1.running_mean). Error of kind input where the input is too short for the network.
Graph network(const Layout& layout);

/// The name of each parameter and buffer of network(layout) in a state dict of the authors' code
/// ("conv3.weight" is "tfeb.0.weight"). Depends on the input length and the width of conv2 alone, since
/// modules are numbered and a trivial pool is left out.
std::map<std::string, std::string> published_names(const Layout& layout);

/// FLOPs as the paper's tables count them: a multiply-accumulate is one, so is an added bias, a relu or
/// softmax element, and each element of a pool's window; batch norm is free, being folded into the
/// convolution.
std::int64_t paper_flops(const Graph& graph);

}  // namespace compress::acdnet
