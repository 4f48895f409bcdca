// Checks a quantized graph; the public entry is verify() in quantized_graph.h. Every operator has a check()
// here, defined in the file of its family.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

class QuantizedVerifier {
 public:
  explicit QuantizedVerifier(const QuantizedGraph& graph) : graph_(graph) {}

  /// Error of kind input for the first thing that is wrong.
  void run();

 private:
  // weighted.cpp
  void check(const QConv& conv) const;
  void check(const QLinear& linear) const;
  // pools.cpp
  void check(const QMaxPool& pool) const { check_pool(pool.window, pool.clamp_min, pool.clamp_max); }
  void check(const QAvgPool& pool) const;
  void check(const QMean& mean) const;
  // elementwise.cpp
  void check(const QAdd& add) const;
  void check(const QMul& mul) const;
  void check(const QRequantize& op) const;
  /// Machines differ in the last bit of exp and its like, which may move a result by one.
  void check(const QTable& table) const;
  void check(const QSoftmax& softmax) const;
  // movement.cpp
  void check(const QConcat& concat) const;
  void check(const QTranspose& transpose) const;
  void check(const QReshape&) const;
  void check(const QPad& pad) const;
  void check(const QSlice& slice) const;
  void check(const QResize& resize) const;

  // The graph around the operators.
  void check_value(std::size_t i);
  void check_ends();
  void check_width_of_end(QValueId id) const;
  /// All activations of a node have one width, but for a requantize.
  void check_widths() const;
  void check_node(const QNode& node);

  // What the families ask for.
  [[noreturn]] static void fail_at(std::string where, std::string found, std::string allowed,
                                   std::string remedy = "");
  [[noreturn]] void fail(std::string found, std::string allowed, std::string remedy = "") const;
  void expect(bool holds, const std::string& found, const std::string& allowed) const;
  bool in_range(QValueId id) const { return index_of(id) < graph_.values.size(); }
  const QValue& value(QValueId id) const { return graph_.value(id); }
  const QValue& input(std::size_t i) const { return value(node_->inputs[i]); }
  const QValue& output() const { return value(node_->output); }
  void expect_shape(const Shape& shape) const;
  /// Input and output hold the same numbers.
  void expect_same_scale(const QValue& from) const;
  void check_clamp(std::int32_t low, std::int32_t high) const;
  void check_factor(const Requantization& by, double factor, const std::string& what) const;
  void check_window(const Window& w, const Shape& from, const Shape& to, bool pads_below_kernel) const;
  void expect_image(const QValue& v) const;
  /// Two operands, one of which may be a constant with one scale.
  void check_operands() const;
  void check_weighted(const std::vector<Requantization>& requantization) const;
  void check_pool(const Window& window, std::int32_t low, std::int32_t high) const;
  /// The largest |accumulator| of every output, all prefixes of the sum included.
  template <typename Bias>
  std::vector<std::int64_t> largest_sums() const;
  /// A sum must leave room for the left shift.
  void check_accumulators(const std::vector<Requantization>& requantization) const;
  /// A sum must fit what its requantization multiplies, and the result int32.
  void check_wide_accumulators(const std::vector<Requantization>& requantization) const;

  const QuantizedGraph& graph_;
  const QNode* node_ = nullptr;
  std::vector<bool> defined_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace compress
