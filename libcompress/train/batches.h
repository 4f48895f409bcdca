// Batches of training examples that anyone can make again: they depend on the data, the seed and the epoch
// alone.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/data/dataset.h"

namespace compress {

struct Batch {
  std::int64_t count = 0;
  std::vector<float> inputs;   ///< [count, input shape...]
  std::vector<float> targets;  ///< [count, target_count], probabilities
};

/// The training part cut into batches of nearly equal size, none larger than `batch_size`: a small last batch
/// would give a noisy gradient and, through batch norm, noisy statistics. Each epoch takes every example
/// once, in an order of its own. Its methods may be called from several threads.
class TrainingBatches {
 public:
  /// Borrows `data`. Error of kind input if its training part is empty.
  TrainingBatches(const DataSet& data, std::int64_t batch_size, std::uint64_t seed);

  std::int64_t count() const { return count_; }  ///< batches an epoch
  std::int64_t smallest() const;                 ///< examples of the smallest batch

  /// Batch `index` of `epoch` (from 0). The example at place i of the epoch draws from
  /// Random::stream(seed, epoch * size + i).
  Batch make(std::int64_t epoch, std::int64_t index) const;

 private:
  const DataSet& data_;
  std::uint64_t seed_;
  std::int64_t size_;
  std::int64_t count_;
};

}  // namespace compress
