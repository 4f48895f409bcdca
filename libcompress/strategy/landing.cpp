#include "libcompress/strategy/landing.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "libcompress/base/random.h"

namespace compress {
namespace {

constexpr std::size_t kMostGivers = 64;  // groups that give up something in search of a better fit
constexpr int kMostSteps = 3;            // chunks that each of them gives up
constexpr int kMostRounds = 4;           // searches that each start from the best find of the one before
constexpr int kMostTrials =
    8000;  // widths priced while wandering: a fraction of a second, of large networks seconds

class Landing {
 public:
  Landing(const WidthSpace& space, const Worth& worth) : space_(space), worth_(worth) {}

  Widths from(Widths widths) {
    give_back(widths, {});
    best_ = std::move(widths);
    best_used_ = space_.used(best_);
    for (int round = 0; round < kMostRounds && !landed(); ++round) {
      const auto before = best_used_;
      if (!exchange_one()) exchange_two();
      if (best_used_ <= before) break;
    }
    if (!landed()) wander();
    return best_;
  }

 private:
  bool landed() const { return space_.lands(best_); }

  /// Widens groups as long as the budget holds. What does not fit once never fits again, so each group is
  /// dropped at its first failure. `first` is widened before all others, `untouched` not at all.
  void give_back(Widths& widths, std::optional<std::size_t> untouched,
                 std::optional<std::size_t> first = {}) const {
    std::vector<char> done(space_.size(), 0);
    if (untouched) done[*untouched] = 1;
    while (true) {
      const auto g = first && may_grow(*first, widths, done) ? first : most_worthy(widths, done);
      if (!g) return;
      const auto before = widths[*g];
      widths[*g] = space_.wider(*g, before);
      if (space_.fits(widths)) continue;
      widths[*g] = before;
      done[*g] = 1;
    }
  }

  bool may_grow(std::size_t g, const Widths& widths, const std::vector<char>& done) const {
    return !done[g] && widths[g] < space_.ceilings()[g];
  }

  std::optional<std::size_t> most_worthy(const Widths& widths, const std::vector<char>& done) const {
    std::optional<std::size_t> best;
    for (std::size_t g = 0; g < space_.size(); ++g) {
      if (!may_grow(g, widths, done)) continue;
      if (!best || worth_(g, widths[g]) > worth_(*best, widths[*best])) best = g;
    }
    return best;
  }

  /// Those that can give up something, least worthy first.
  std::vector<std::size_t> givers(const Widths& widths) const {
    std::vector<std::size_t> all;
    for (std::size_t g = 0; g < space_.size(); ++g) {
      if (space_.narrower(g, widths[g]) < widths[g]) all.push_back(g);
    }
    const auto worth = [&](std::size_t g) { return worth_(g, space_.narrower(g, widths[g])); };
    std::stable_sort(all.begin(), all.end(),
                     [&](std::size_t a, std::size_t b) { return worth(a) < worth(b); });
    all.resize(std::min(all.size(), kMostGivers));
    return all;
  }

  /// Tries what is left after `giver` gave `steps`; true once it lands.
  bool attempt(const Widths& start, std::size_t giver, int steps, std::optional<std::size_t> receiver = {}) {
    Widths trial = start;
    for (int i = 0; i < steps; ++i) trial[giver] = space_.narrower(giver, trial[giver]);
    give_back(trial, giver, receiver);
    if (const auto used = space_.used(trial); used <= 1.0 && used > best_used_) {
      best_ = std::move(trial);
      best_used_ = used;
    }
    return landed();
  }

  /// One group gives, the most worthy take.
  bool exchange_one() {
    const Widths start = best_;
    const auto all = givers(start);
    for (int steps = 1; steps <= kMostSteps; ++steps) {
      for (const auto giver : all) {
        if (attempt(start, giver, steps)) return true;
      }
    }
    return false;
  }

  /// One group gives, a certain other one takes first.
  bool exchange_two() {
    const Widths start = best_;
    const auto all = givers(start);
    for (int steps = 1; steps <= kMostSteps; ++steps) {
      for (const auto giver : all) {
        for (std::size_t receiver = 0; receiver < space_.size(); ++receiver) {
          if (receiver == giver || start[receiver] == space_.ceilings()[receiver]) continue;
          if (attempt(start, giver, steps, receiver)) return true;
        }
      }
    }
    return false;
  }

  /// The last resort, for networks of few channels: up to three groups give by chance, the others and then
  /// these take in an order by chance. The numbers are the same each time.
  void wander() {
    Random random(1);
    int trials = 0;
    while (trials < kMostTrials && !landed()) {
      Widths trial = best_;
      for (auto givers = 1 + random.below(3); givers > 0; --givers) {
        const auto giver = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(space_.size())));
        for (auto steps = 1 + random.below(4); steps > 0; --steps)
          trial[giver] = space_.narrower(giver, trial[giver]);
      }
      trials += fill(trial, random);
      if (const auto used = space_.used(trial); used <= 1.0 && used >= best_used_) {
        best_ = std::move(trial);
        best_used_ = used;
      }
    }
  }

  /// Widens each group as far as it fits, in an order by chance; returns how many widths it tried.
  int fill(Widths& widths, Random& random) const {
    std::vector<std::size_t> order(space_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    random.shuffle(order);
    int tried = 1;
    for (const auto g : order) {
      while (widths[g] < space_.ceilings()[g]) {
        const auto before = widths[g];
        widths[g] = space_.wider(g, before);
        ++tried;
        if (space_.fits(widths)) continue;
        widths[g] = before;
        break;
      }
    }
    return tried;
  }

  const WidthSpace& space_;
  const Worth& worth_;
  Widths best_;
  double best_used_ = 0.0;
};

}  // namespace

Widths land(const WidthSpace& space, const Worth& worth, Widths widths) {
  return Landing(space, worth).from(std::move(widths));
}

}  // namespace compress
