// Every plugin in the tree.
#pragma once

#include "libcompress/pipeline/plugins.h"

namespace compress {

Plugins built_in_plugins();

}  // namespace compress
