// Gradients of the training loss, for criteria that rank by them.
#pragma once

#include <cstdint>
#include <memory>

#include "libcompress/base/progress.h"
#include "libcompress/data/dataset.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

struct GradientOptions {
  std::int64_t batches = 16;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 0;
  Reporter* reporter = nullptr;  ///< progress by batches; asked to stop after each. nullptr: silent
};

/// The network as it is: running statistics, no dropout, so that what is ranked is what will be pruned.
/// Batches are those of TrainingBatches with this seed, in order. Borrows `data`. Error of kind input if they
/// do not fit.
std::unique_ptr<GradientSource> make_gradient_source(const Model& model, const DataSet& data,
                                                     const GradientOptions& options);

}  // namespace compress
