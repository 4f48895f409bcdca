// The int8 network executed as its definition says, to the bit as TensorFlow Lite's reference kernels compute
// it. Everything that runs the network elsewhere (the exported C first) is compared with this. No LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// Runs one example at a time. Const methods may be called from several threads at once.
class ReferenceExecutor {
 public:
  /// Verifies `graph` (Error of kind input) and prepares its weights.
  explicit ReferenceExecutor(const QuantizedGraph& graph);
  ReferenceExecutor(ReferenceExecutor&&) noexcept;
  ReferenceExecutor& operator=(ReferenceExecutor&&) noexcept;
  ~ReferenceExecutor();

  /// Called with every activation in order of execution, the input first; `data` is NHWC in its value's dtype
  /// and lives for the call.
  using Observe = std::function<void(QValueId id, const Tensor& data)>;

  /// `input`: flat NHWC, as many elements as the input's shape (Error of kind usage otherwise). Returns the
  /// first output, flat.
  std::vector<std::int8_t> run(std::span<const std::int8_t> input) const;

  /// Every output, in the graph's order.
  std::vector<std::vector<std::int8_t>> run_all(std::span<const std::int8_t> input) const;

  void run_observed(std::span<const std::int8_t> input, const Observe& observe) const;

  const QuantizedGraph& graph() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace compress
