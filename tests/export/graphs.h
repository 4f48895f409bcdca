// Small 8-bit networks for the tests, with random weights and scales that keep the numbers in range.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/export/exporter.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress::testing_graphs {

struct Clamp {
  std::int32_t lowest = -128, highest = 127;
};

inline Window square(std::int32_t kernel, std::int32_t stride, std::int32_t padding) {
  return {{kernel, kernel}, {stride, stride}, {padding, padding}, {padding, padding}, {1, 1}};
}

/// Builds a network node by node. Every method returns the new activation, of as many bits as what it is made
/// from; clamps are levels of 8 bits, of 16 the same part.
class Builder {
 public:
  Builder(std::uint64_t seed, const Shape& input, std::string profile = "litert");

  QValueId input() const { return graph_.inputs[0]; }
  const QValue& value(QValueId id) const { return graph_.value(id); }
  const Shape& shape(QValueId id) const { return graph_.value(id).shape; }
  DType dtype(QValueId id) const { return graph_.value(id).dtype; }

  QValueId conv(QValueId x, std::int64_t channels, const Window& window, std::int32_t groups = 1,
                Clamp clamp = {});
  QValueId linear(QValueId x, std::int64_t outputs, Clamp clamp = {});
  QValueId max_pool(QValueId x, const Window& window, Clamp clamp = {});
  QValueId average_pool(QValueId x, const Window& window, Clamp clamp = {});
  /// An int8 operand for add, subtract and multiply; theirs may repeat along axes.
  QValueId constant(const Shape& shape);
  QValueId add(QValueId x, QValueId y, Clamp clamp = {});
  QValueId subtract(QValueId x, QValueId y, Clamp clamp = {});
  QValueId multiply(QValueId x, QValueId y, Clamp clamp = {});
  QValueId mean(QValueId x, std::int32_t first_axis, std::int32_t last_axis, bool keep);
  QValueId pad(QValueId x, std::vector<std::int32_t> begin, std::vector<std::int32_t> end,
               std::int32_t level);
  QValueId slice(QValueId x, std::vector<std::int32_t> begin, std::vector<std::int32_t> step,
                 const Shape& shape);
  QValueId resize(QValueId x, std::int64_t height, std::int64_t width, QResize rule);
  QValueId table(QValueId x, const std::string& function);
  QValueId concat(const std::vector<QValueId>& parts,
                  std::int32_t axis);  ///< requantizes where scales differ
  QValueId transpose(QValueId x, const std::vector<std::int32_t>& order);
  QValueId reshape(QValueId x, const Shape& shape);
  QValueId softmax(QValueId x);
  QValueId requantize(QValueId x, Clamp clamp = {});
  QValueId to_width(QValueId x, DType dtype);  ///< int8 or int16, about the same range

  /// Names the last node.
  void name(const std::string& name) { graph_.nodes.back().name = name; }

  QuantizedGraph done(const std::vector<QValueId>& outputs);

  Random& random() { return random_; }

 private:
  QValueId activation(const Shape& shape, float scale, DType dtype = DType::int8);
  QValueId same_scale(QValueId x, const Shape& shape);
  QValueId sum(QValueId x, QValueId y, bool subtract, Clamp clamp);
  QValueId node(QOp op, const std::vector<QValueId>& inputs, QValueId output);
  Shape window_shape(QValueId x, const Window& window, std::int64_t channels) const;
  enum class Scales { one, one_a_channel };
  std::vector<Requantization> weights(QValueId x, const Shape& shape, QValueId output,
                                      std::vector<QValueId>& inputs, Scales scales = Scales::one_a_channel);
  float weighted_scale(QValueId x, std::int64_t terms);
  template <typename Op>
  Op limited(Clamp clamp, QValueId output) const;

  QuantizedGraph graph_;
  Random random_;
};

/// Every operation at least once.
QuantizedGraph every_operation(std::uint64_t seed, const std::string& profile = "litert");

/// Windows of many kinds: runs of all lengths modulo 4, odd and even widths and channels, padding, strides
/// and dilation.
QuantizedGraph many_windows();

/// A few random operations on a small random image.
QuantizedGraph random_graph(std::uint64_t seed);
/// The same with some activations of 16 bits.
QuantizedGraph random_wide_graph(std::uint64_t seed);

/// Random inputs and what the ReferenceExecutor makes of them.
std::vector<TestVector> record(const QuantizedGraph& graph, std::size_t count, std::uint64_t seed);

}  // namespace compress::testing_graphs
