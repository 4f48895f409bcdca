#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {

void register_global(Catalog<Strategy>& catalog) {
  catalog.add("global", "removes the least scored channels of one ranking over all layers", ranked_options(),
              [](const Options& options) { return std::make_unique<Scheduled>(options, ranked(options)); });
}

}  // namespace compress
