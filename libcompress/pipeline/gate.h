// The accuracy gate of a recipe.
#pragma once

#include <optional>

#include "libcompress/base/error.h"
#include "libcompress/recipe/recipe.h"

namespace compress {

/// What a network of accuracy `now` misses of the gate, or nothing; `unpruned` is the float unpruned
/// network's. Both are 0 to 1.
std::optional<Complaint> missed(const GateOptions& gate, double unpruned, double now);

}  // namespace compress
