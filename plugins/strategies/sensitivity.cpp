#include <algorithm>

#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// Widths from each layer's sensitivity: the curve of what it keeps of its score over its width (Li et al.,
/// ICLR 2017, prune layers with a flat curve more, with the accuracy in the place of the score). All layers
/// give up the same share of their score, so a layer whose score is in few channels becomes narrow and one
/// whose channels matter alike stays wide.
Selection by_sensitivity(const WidthSpace& space) {
  const auto shares = kept_shares(space);
  const auto at = [&space, shares](double share) {
    Widths widths = space.ceilings();
    for (std::size_t g = 0; g < space.size(); ++g) {
      if (shares[g].empty()) continue;
      const auto least = std::lower_bound(shares[g].begin(), shares[g].end(), share);
      widths[g] = space.allowed(g, std::min<std::int64_t>(least - shares[g].begin(), widths[g]));
    }
    return widths;
  };
  return {
      [&space, at] { return widest_that_fits(space, at); },
      [shares](std::size_t g, std::int64_t width) { return -shares[g][static_cast<std::size_t>(width)]; }};
}

}  // namespace

void register_sensitivity(Catalog<Strategy>& catalog) {
  catalog.add("sensitivity",
              "removes the same share of the score of every layer: insensitive ones get narrow",
              scheduled_options(),
              [](const Options& options) { return std::make_unique<Scheduled>(options, by_sensitivity); });
}

}  // namespace compress
