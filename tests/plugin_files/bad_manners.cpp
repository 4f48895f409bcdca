// A plugin that does everything that a plugin should not do.
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "libcompress/pipeline/plugin.h"

namespace compress {
namespace {

/// Runs when the file is loaded, before its entry is called.
const int kLoaded = setenv("LIBCOMPRESS_TEST_PLUGIN_RAN", "yes", 1);

class Lambda final : public Criterion {
 public:
  using Work = std::function<Scores(const PruningGroup&)>;
  explicit Lambda(Work work) : work_(std::move(work)) {}

 protected:
  Scores score(const PruningGroup& group, const ScoringContext&) const override { return work_(group); }

 private:
  Work work_;
};

Scores ones(std::int64_t count) { return Scores(static_cast<std::size_t>(count), 1.0); }

void add(Plugins& plugins, const std::string& name, const Lambda::Work& work) {
  plugins.criteria.add(name, "a criterion of a test", {},
                       [work](const Options&) { return std::make_unique<Lambda>(work); });
}

class Empties final : public Strategy {
 public:
  std::vector<Step> schedule(std::int64_t) const override { return {Step{}}; }
  PruningPlan plan(const PlanRequest& request) const override {
    auto plan = full_plan(request.model.graph, request.groups);
    for (auto& group : plan.groups) group.kept.clear();
    return plan;
  }
};

class Hoards final : public Strategy {
 public:
  std::vector<Step> schedule(std::int64_t) const override { return {Step{}}; }
  PruningPlan plan(const PlanRequest& request) const override {
    return full_plan(request.model.graph, request.groups);
  }
};

class Blind final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<Blind>(); }
  void observe(std::span<const float>) override { throw std::runtime_error("too bright"); }
  Range range() const override { throw std::runtime_error("nothing seen"); }
};

class Refuses final : public Exporter {
 public:
  ExportResult run(const ExportRequest&) const override { throw std::runtime_error("not this one"); }
};

class Forgets final : public ModelSource {
 public:
  Model fresh(Random&) const override { throw std::runtime_error("no widths"); }
  Model from_checkpoint(const Checkpoint&) const override { throw std::runtime_error("no checkpoint"); }
};

template <typename Made, typename Kind>
void add(Catalog<Kind>& catalog, const std::string& name) {
  catalog.add(name, "of a test", {}, [](const Options&) { return std::make_unique<Made>(); });
}

}  // namespace
}  // namespace compress

LIBCOMPRESS_PLUGIN(plugins) {
  using namespace compress;
  add(plugins, "good", [](const auto& group) { return ones(group.size); });
  add(plugins, "throws", [](const auto&) -> Scores { throw std::runtime_error("no idea"); });
  add(plugins, "throws_a_number", [](const auto&) -> Scores { throw 7; });
  add(plugins, "complains",
      [](const auto&) -> Scores { throw Error(ErrorKind::input, "this network is odd"); });
  add(plugins, "counts_wrong", [](const auto& group) { return ones(group.size - 1); });
  add(plugins, "divides_by_zero", [](const auto& group) {
    auto scores = ones(group.size);
    scores.back() = std::numeric_limits<double>::quiet_NaN();
    return scores;
  });
  plugins.criteria.add("makes_nothing", "a criterion of a test", {}, [](const Options&) { return nullptr; });
  plugins.criteria.add(
      "throws_early", "a criterion of a test", {},
      [](const Options&) -> std::unique_ptr<Criterion> { throw std::logic_error("too early"); });
  add<Hoards>(plugins.strategies, "hoards");
  add<Empties>(plugins.strategies, "empties");
  add<Blind>(plugins.observers, "blind");
  add<Refuses>(plugins.exporters, "refuses");
  add<Forgets>(plugins.models, "forgets");
}
