// The data sets that come with the library.
#pragma once

#include "libcompress/base/catalog.h"
#include "libcompress/data/dataset.h"

namespace compress {

void register_esc(Catalog<DataSet>& catalog);
void register_sounds(Catalog<DataSet>& catalog);

}  // namespace compress
