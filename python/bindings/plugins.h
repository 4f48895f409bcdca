// The plugins that this process knows: those of the tree, and those of files that were loaded.
#pragma once

#include "libcompress/pipeline/plugins.h"

namespace compress::python {

/// One for the life of the process; changed only by load_plugin_file(), under Python's lock.
Plugins& known_plugins();

}  // namespace compress::python
