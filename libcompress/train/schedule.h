// The learning rate of each epoch.
#pragma once

#include <cstdint>

#include "libcompress/recipe/recipe.h"

namespace compress {

/// For `epoch` counted from 0. Warm-up epochs run at a tenth of the learning rate. Afterwards, "step"
/// multiplies by gamma at each milestone that lies behind (a fraction of all epochs); "cosine" falls from the
/// full rate in the first epoch after the warm-up towards 0 behind the last (Loshchilov, Hutter: SGDR, ICLR
/// 2017, without restarts).
double learning_rate_at(const TrainOptions& options, std::int64_t epoch);

}  // namespace compress
