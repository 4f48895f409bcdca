// The strategies that come with the library.
#pragma once

#include "libcompress/base/catalog.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

void register_structured(Catalog<Strategy>& catalog);
void register_hybrid(Catalog<Strategy>& catalog);

}  // namespace compress
