#include <algorithm>
#include <queue>

#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// Removes, again and again, what costs the least score for what it frees of the budget: rank selection after
/// Zhang et al. (TPAMI 2016, arXiv 1505.06798, section 3.3), with the criterion's scores in the place of
/// their eigenvalues. Their objective is the product over layers of the share of its energy that each keeps,
/// so an index is priced by its share of what its group still has: the emptier a group, the dearer what is
/// left.
class Greedy {
 public:
  explicit Greedy(const WidthSpace& space)
      : space_(space), widths_(space.ceilings()), excess_(space.excess(widths_)) {
    for (std::size_t g = 0; g < space_.size(); ++g) {
      left_.push_back(0.0);
      if (!space_.group(g).prunable) continue;
      for (std::int64_t rank = 0; rank < widths_[g]; ++rank) left_[g] += value(g, rank);
    }
  }

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
    double loss = 0.0;       ///< of the group's score
    double excess = 0.0;     ///< after it

    bool operator>(const Offer& other) const {
      return price != other.price ? price > other.price : group > other.group;
    }
  };

  double value(std::size_t g, std::int64_t rank) const { return std::max(0.0, space_.score(g, rank)); }

  /// One allowed width below, or several of a very wide group.
  std::int64_t piece_below(std::size_t g) const {
    const auto one = space_.narrower(g, widths_[g]);
    if (one == widths_[g]) return one;
    const auto piece = std::max<std::int64_t>(1, space_.group(g).size / kPieces);
    return std::min(one, space_.allowed(g, widths_[g] - piece));
  }

  Offer offer(std::size_t g) const {
    Offer made{0.0, g, piece_below(g)};
    for (auto rank = made.width; rank < widths_[g]; ++rank) made.loss += value(g, rank);
    Widths trial = widths_;
    trial[g] = made.width;
    made.excess = space_.excess(trial);
    const auto freed = std::max(excess_ - made.excess, kNothing);
    made.price = (left_[g] > 0.0 ? made.loss / left_[g] : 0.0) / freed;
    return made;
  }

  void take(const Offer& offer) {
    widths_[offer.group] = offer.width;
    left_[offer.group] -= offer.loss;
    excess_ = offer.excess;
  }

  static constexpr std::int64_t kPieces = 256;  ///< of a group: keeps wide networks fast
  static constexpr double kAsGood = 1.01;       ///< near the end all prices are near each other
  static constexpr double kNothing = 1e-12;     ///< freed: such an offer is the last choice

  const WidthSpace& space_;
  Widths widths_;
  double excess_;
  std::vector<double> left_;  ///< by group: the sum of its scores
};

/// The share of its group's score that the index at `width` has among those that are better.
Worth share_of_what_is_kept(const WidthSpace& space) {
  std::vector<Scores> shares(space.size());
  for (std::size_t g = 0; g < space.size(); ++g) {
    double sum = 0.0;
    for (std::int64_t rank = 0; rank < space.ceilings()[g] && space.group(g).prunable; ++rank) {
      const auto score = std::max(0.0, space.score(g, rank));
      sum += score;
      shares[g].push_back(sum > 0.0 ? score / sum : 0.0);
    }
  }
  return [shares](std::size_t g, std::int64_t width) { return shares[g][static_cast<std::size_t>(width)]; };
}

Selection greedily(const WidthSpace& space) {
  return {[&space] { return Greedy(space).run(); }, share_of_what_is_kept(space)};
}

}  // namespace

void register_greedy(Catalog<Strategy>& catalog) {
  catalog.add("greedy", "removes what costs the least score for what it frees of the budget, one by one",
              scheduled_options(),
              [](const Options& options) { return std::make_unique<Scheduled>(options, greedily); });
}

}  // namespace compress
