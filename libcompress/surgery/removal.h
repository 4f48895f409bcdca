// From a plan to the indices that go. Internal to surgery.
#pragma once

#include <span>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/strategy/plan.h"

namespace compress {

/// What `plan` keeps, by group; a group that it does not name keeps all.
KeptIndices kept_by_group(std::span<const PruningGroup> groups, const PruningPlan& plan);

/// The removed indices of every axis that loses some.
Removal removal_of(std::span<const PruningGroup> groups, const KeptIndices& kept);

}  // namespace compress
