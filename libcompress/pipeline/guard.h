// Plugins of others under guard: what they throw names them, and what they return is checked.
#pragma once

#include <span>
#include <string>

#include "libcompress/pipeline/plugins.h"

namespace compress {

/// A factory that makes what `make` makes, under guard, and guards `make` itself. An Error keeps its kind and
/// is told with `name` ("criterion 'mine' of mine.so") before it; any other exception becomes an Error of
/// kind plugin. Scores must be finite, one an index, and a plan must pass check_plan(), or the Error is of
/// kind plugin. `Kind` is a type of Plugins' catalogs.
template <typename Kind>
typename Catalog<Kind>::Factory guarded(typename Catalog<Kind>::Factory make, std::string name);

/// Error of kind plugin, told with `name`, unless the plan is one for this graph and what it leaves holds
/// every bound of the budget.
void check_plan(const PruningPlan& plan, const Graph& graph, std::span<const PruningGroup> groups,
                const Budget& budget, const std::string& name);

}  // namespace compress
