// Plugins of others under guard: what they throw names them, and what they return is checked.
#pragma once

#include <string>

#include "libcompress/pipeline/plugins.h"

namespace compress {

/// A factory that makes what `make` makes, under guard, and guards `make` itself. An Error keeps its kind and
/// is told with `name` ("criterion 'mine' of mine.so") before it; any other exception becomes an Error of
/// kind plugin. Scores must be finite, one an index, and a plan must be one for the graph it was asked for,
/// or the Error is of kind plugin. `Kind` is a type of Plugins' catalogs.
template <typename Kind>
typename Catalog<Kind>::Factory guarded(typename Catalog<Kind>::Factory make, std::string name);

}  // namespace compress
