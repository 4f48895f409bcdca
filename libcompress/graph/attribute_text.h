// Attributes as people read them.
#pragma once

#include <string>

#include "libcompress/graph/graph.h"

namespace compress {

/// "true", "3", "0.5", "nearest", "[1, 2]".
std::string to_text(const Attribute& attribute);

}  // namespace compress
