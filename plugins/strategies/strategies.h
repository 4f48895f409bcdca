// The strategies that come with the library.
#pragma once

#include "libcompress/base/catalog.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

void register_uniform(Catalog<Strategy>& catalog);
void register_global(Catalog<Strategy>& catalog);
void register_hybrid(Catalog<Strategy>& catalog);
void register_greedy(Catalog<Strategy>& catalog);
void register_sensitivity(Catalog<Strategy>& catalog);

}  // namespace compress
