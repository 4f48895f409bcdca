#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {

void register_uniform(Catalog<Strategy>& catalog) {
  catalog.add("uniform", "removes the same fraction of every layer, the least scored channels of each",
              scheduled_options(),
              [](const Options& options) { return std::make_unique<Scheduled>(options, evenly); });
}

}  // namespace compress
