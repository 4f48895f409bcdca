#include <algorithm>
#include <limits>
#include <queue>

#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// By group and width: what the group loses of its score over what it keeps. Width 0 is never chosen.
std::vector<Scores> noise_by_width(const WidthSpace& space) {
  auto noise = kept_shares(space);
  for (auto& group : noise) {
    for (auto& share : group) share = share > 0.0 ? 1.0 / share - 1.0 : std::numeric_limits<double>::max();
  }
  return noise;
}

/// Removes, again and again, what costs least for what it frees of the budget: rank selection after Zhang et
/// al. (TPAMI 2016, arXiv 1505.06798, section 3.3), with the criterion's scores in the place of their
/// eigenvalues. Their objective is the product of the shares of its energy that each layer keeps. Two layers
/// in a row cost the product of their widths, so that where all scores are alike every pair of widths of that
/// product is as good as any other, and one layer is emptied for the other. Here a layer's cost is what it
/// loses over what it keeps, its noise over its signal, which add up over the layers: an even pair is the
/// best.
class Greedy {
 public:
  Greedy(const WidthSpace& space, const std::vector<Scores>& noise)
      : space_(space), noise_(noise), widths_(space.ceilings()), excess_(space.excess(widths_)) {}

  Widths run() {
    std::priority_queue<Offer, std::vector<Offer>, std::greater<>> offers;
    for (std::size_t g = 0; g < space_.size(); ++g) {
      if (piece_below(g) < widths_[g]) offers.push(offer(g));
    }
    // An offer gets dearer while others are taken, as the layers around it free less: one that is still as
    // good as the best old price is the best of all, and the others need not be priced.
    while (excess_ > 0.0 && !offers.empty()) {
      const auto g = offers.top().group;
      offers.pop();
      const auto today = offer(g);
      if (!offers.empty() && kAsGood * offers.top().price < today.price) {
        offers.push(today);
        continue;
      }
      take(today);
      if (piece_below(g) < widths_[g]) offers.push(offer(g));
    }
    return widths_;
  }

 private:
  struct Offer {
    double price = 0.0;
    std::size_t group = 0;
    std::int64_t width = 0;  ///< after it
    double excess = 0.0;     ///< after it

    bool operator>(const Offer& other) const {
      return price != other.price ? price > other.price : group > other.group;
    }
  };

  /// One allowed width below, or several of a very wide group.
  std::int64_t piece_below(std::size_t g) const {
    const auto one = space_.narrower(g, widths_[g]);
    if (one == widths_[g]) return one;
    const auto piece = std::max<std::int64_t>(1, space_.group(g).size / kPieces);
    return std::min(one, space_.allowed(g, widths_[g] - piece));
  }

  Offer offer(std::size_t g) const {
    Offer made{0.0, g, piece_below(g)};
    Widths trial = widths_;
    trial[g] = made.width;
    made.excess = space_.excess(trial);
    const auto freed = std::max(excess_ - made.excess, kNothing);
    made.price = (noise(g, made.width) - noise(g, widths_[g])) / freed;
    return made;
  }

  double noise(std::size_t g, std::int64_t width) const { return noise_[g][static_cast<std::size_t>(width)]; }

  void take(const Offer& offer) {
    widths_[offer.group] = offer.width;
    excess_ = offer.excess;
  }

  static constexpr std::int64_t kPieces = 256;  ///< of a group: keeps wide networks fast
  static constexpr double kAsGood = 1.01;       ///< near the end all prices are near each other
  static constexpr double kNothing = 1e-12;     ///< freed: such an offer is the last choice

  const WidthSpace& space_;
  const std::vector<Scores>& noise_;
  Widths widths_;
  double excess_;
};

Selection greedily(const WidthSpace& space) {
  const auto noise = noise_by_width(space);
  return {[&space, noise] { return Greedy(space, noise).run(); },
          [noise](std::size_t g, std::int64_t width) {
            const auto at = static_cast<std::size_t>(width);
            return noise[g][at] - noise[g][at + 1];
          }};
}

}  // namespace

void register_greedy(Catalog<Strategy>& catalog) {
  catalog.add("greedy", "removes what costs the least score for what it frees of the budget, one by one",
              scheduled_options(),
              [](const Options& options) { return std::make_unique<Scheduled>(options, greedily); });
}

}  // namespace compress
