// The graph executed in float32, without LibTorch in sight: what calibration, verification and tests use.
//
// network.h is the same thing with tensors and gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

/// Uses `count` threads inside operators (0: as many as the machine has cores) from now on in this process,
/// and returns the number in use. Results are the same from run to run at one number, not between numbers.
int use_threads(int count);
int threads_in_use();

/// Asks the C library to keep freed memory for the next allocation instead of giving it back to the system,
/// which otherwise clears every large activation anew: training then takes two thirds of the time. For the
/// whole process, so it is the program's choice (call it first thing), not the library's. Does nothing where
/// there is no glibc.
void keep_freed_memory();

/// Sees every input and activation as it is computed: values[batch, shape...], row-major, valid during the
/// call.
using ValueObserver = std::function<void(ValueId value, std::span<const float> values, const Shape& shape)>;

/// A model of one input, ready to run with running statistics and without dropout. It shares the model's
/// weights: changing them in place changes its results. Not for several threads at once.
class Executor {
 public:
  /// Error of kind input if the model does not verify() or has not exactly one input.
  explicit Executor(const Model& model);
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  /// `input` is [batch, input shape without its batch...]; returns the first output, [batch, ...].
  std::vector<float> run(std::span<const float> input, std::int64_t batch);
  std::vector<float> run_observed(std::span<const float> input, std::int64_t batch,
                                  const ValueObserver& observe);

  /// Elements of one example.
  std::int64_t input_size() const;
  std::int64_t output_size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All outputs for any number of inputs, both in the graph's order. Dimension 0 of every input is the batch,
/// the same multiple of the declared one for all. Float32. Error of kind input for another number or shape.
std::vector<Tensor> run_all(const Model& model, std::span<const Tensor> inputs);

/// For one call.
std::vector<float> run(const Model& model, std::span<const float> input, std::int64_t batch);
std::vector<float> run_observed(const Model& model, std::span<const float> input, std::int64_t batch,
                                const ValueObserver& observe);

}  // namespace compress
