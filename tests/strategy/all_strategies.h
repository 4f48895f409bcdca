// What the tests of strategies share: all of them.
#pragma once

#include "plugins/strategies/strategies.h"

namespace compress::testing {

inline Catalog<Strategy> strategies() {
  Catalog<Strategy> catalog("strategy");
  register_uniform(catalog);
  register_global(catalog);
  register_hybrid(catalog);
  register_greedy(catalog);
  register_sensitivity(catalog);
  return catalog;
}

}  // namespace compress::testing
