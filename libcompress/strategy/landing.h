// The last percent: from widths that hold a budget to widths that reach it. Internal to strategy.
#pragma once

#include "libcompress/strategy/select.h"

namespace compress {

/// Gives back what still fits, most worthy first; where that does not land within the tolerance, takes a
/// little from one group, the least worthy first, so that others fit better. Returns the first widths that
/// land, or the nearest found.
Widths land(const WidthSpace& space, const Worth& worth, Widths widths);

}  // namespace compress
