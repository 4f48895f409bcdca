// One run of the reference executor; the public entry is reference.h. Every operator has a compute() here,
// defined in the file of its family; those that take 16 bits are templates of the activations' integer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "libcompress/quant/quantized_graph.h"

namespace compress::reference {

/// Patches and weights are padded with zeros to this many int16 so that the dot product has no tail.
inline constexpr std::size_t kLanes = 8;

/// A weight matrix [rows, columns] widened to int16, its rows padded to kLanes.
struct WideRows {
  std::size_t stride = 0;
  std::vector<std::int16_t> data;

  WideRows(std::span<const std::int8_t> from, std::size_t rows)
      : stride((from.size() / rows + kLanes - 1) / kLanes * kLanes), data(rows * stride) {
    const auto columns = from.size() / rows;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) data[r * stride + c] = from[r * columns + c];
    }
  }
  const std::int16_t* row(std::size_t r) const { return data.data() + r * stride; }
};

/// What conv and linear precompute.
struct Prepared {
  std::optional<WideRows> rows;
  std::vector<std::int16_t> taps;  ///< of a depthwise conv: [kh * kw, channels]
};

/// Nothing for other operators.
Prepared prepare(const QuantizedGraph& graph, const QNode& node);

class Run {
 public:
  using Bytes = std::span<const std::int8_t>;

  /// Both outlive it; `graph` is verified, `prepared` has an entry a node.
  Run(const QuantizedGraph& graph, const std::vector<Prepared>& prepared)
      : graph_(graph), prepared_(prepared) {
    data_.resize(graph.values.size());
  }

  void set_input(Bytes input);
  const Tensor& tensor(QValueId id) const { return data_[index_of(id)]; }
  std::vector<std::int8_t> bytes(QValueId id) const;
  /// Of nodes before it, the activations are there.
  void execute(std::size_t position);

 private:
  // weighted.cpp
  template <typename T>
  void compute(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output);
  template <typename T>
  void depthwise(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output);
  template <typename T>
  void compute(const QLinear& linear, const QNode& node, const Prepared& prepared, std::span<T> output);
  // pools.cpp
  template <typename T>
  void compute(const QMaxPool& pool, const QNode& node, const Prepared&, std::span<T> output);
  template <typename T>
  void compute(const QAvgPool& pool, const QNode& node, const Prepared&, std::span<T> output);
  void compute(const QMean& mean, const QNode& node, const Prepared&, std::span<std::int8_t> output);
  // elementwise.cpp
  template <typename T>
  void compute(const QAdd& add, const QNode& node, const Prepared&, std::span<T> output);
  void compute(const QMul& mul, const QNode& node, const Prepared&, std::span<std::int8_t> output);
  void compute(const QTable& table, const QNode& node, const Prepared&, std::span<std::int8_t> output);
  void compute(const QSoftmax& softmax, const QNode& node, const Prepared&, std::span<std::int8_t> output);
  static void softmax_row(const QSoftmax& softmax, Bytes input, std::span<std::int8_t> output);
  template <typename T>
  void compute(const QRequantize& op, const QNode& node, const Prepared&, std::span<T> output);
  template <typename From, typename To>
  void requantize_elements(const QRequantize& op, const QNode& node, std::span<const From> source,
                           std::span<To> output);
  // movement.cpp
  template <typename T>
  void compute(const QPad& pad, const QNode& node, const Prepared&, std::span<T> output);
  template <typename T>
  void compute(const QSlice& slice, const QNode& node, const Prepared&, std::span<T> output);
  template <typename T>
  void compute(const QResize& resize, const QNode& node, const Prepared&, std::span<T> output);
  /// Elements of `source`, in order of the output's axes: a step along each, from `first` on.
  template <typename T>
  static void walk(const Shape& shape, const std::vector<std::int64_t>& steps, const T* first,
                   std::span<T> output);
  template <typename T>
  void compute(const QConcat& concat, const QNode& node, const Prepared&, std::span<T> output);
  template <typename T>
  void compute(const QTranspose& transpose, const QNode& node, const Prepared&, std::span<T> output);
  template <typename T>
  void compute(const QReshape&, const QNode& node, const Prepared&, std::span<T> output);

  const QValue& value(QValueId id) const { return graph_.value(id); }
  template <typename T = std::int8_t>
  std::span<const T> data(QValueId id) const {
    return data_[index_of(id)].as<T>();
  }
  /// verify() lets 16 bits through only for operators that take them.
  template <typename T>
  void compute_into(const QNode& node, const Prepared& prepared, Tensor& to);
  /// An activation or a constant operand.
  template <typename T>
  std::span<const T> operand(QValueId id) const;
  /// Calls use(left, right) for each element of the output, in order.
  template <typename T, typename Use>
  void for_each_pair(const QNode& node, const Use& use) const;

  const QuantizedGraph& graph_;
  const std::vector<Prepared>& prepared_;
  std::vector<Tensor> data_;  ///< by value; empty until computed
};

}  // namespace compress::reference
