#include "libcompress/pipeline/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

[[noreturn]] void tell(const std::string& name, const std::string& found, const std::string& allowed) {
  throw Error(ErrorKind::plugin, {name, found, allowed, ""});
}

/// What `call` returns; what it throws names the plugin.
template <typename Call>
auto under_guard(const std::string& name, const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;  // by the user, not by the plugin
    throw Error(error.kind(), {name, error.what(), "", ""});
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    tell(name, fmt::format("an exception: {}", error.what()), "");
  } catch (...) {
    tell(name, "an exception that is no std::exception", "");
  }
}

/// What all guards hold. They pass on every virtual function: one that is left out would be that of the base
/// class.
template <typename Kind>
class Guard : public Kind {
 public:
  Guard(std::unique_ptr<Kind> plugin, std::string name) : plugin_(std::move(plugin)), name_(std::move(name)) {
    if (!plugin_) tell(name_, "its factory made nothing", "a plugin, or an exception");
  }

 protected:
  template <typename Call>
  auto guard(const Call& call) const {
    return under_guard(name_, [&] { return call(std::as_const(*plugin_)); });
  }

  std::unique_ptr<Kind> plugin_;
  std::string name_;
};

void check_scores(const std::vector<Scores>& scores, std::span<const PruningGroup> groups,
                  const std::string& name) {
  if (scores.size() != groups.size())
    tell(name, fmt::format("scores of {} groups", scores.size()), fmt::format("{}", groups.size()));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto place = fmt::format("{}, group '{}'", name, groups[i].name);
    if (static_cast<std::int64_t>(scores[i].size()) != groups[i].size)
      tell(place, fmt::format("{} scores", scores[i].size()),
           fmt::format("{}, one an index", groups[i].size));
    const auto wrong = std::ranges::find_if_not(scores[i], [](double score) { return std::isfinite(score); });
    if (wrong != scores[i].end()) tell(place, fmt::format("the score {}", *wrong), "finite numbers");
  }
}

class GuardedCriterion final : public Guard<Criterion> {
 public:
  using Guard::Guard;

  bool needs_gradients() const override {
    return guard([](const auto& plugin) { return plugin.needs_gradients(); });
  }
  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto scores = guard([&](const auto& plugin) { return plugin.score_all(groups, context); });
    check_scores(scores, groups, name_);
    return scores;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }
};

class GuardedStrategy final : public Guard<Strategy> {
 public:
  using Guard::Guard;

  std::vector<Step> schedule(std::int64_t fine_tune_epochs) const override {
    return guard([&](const auto& plugin) { return plugin.schedule(fine_tune_epochs); });
  }
  PruningPlan plan(const PlanRequest& request) const override {
    auto plan = guard([&](const auto& plugin) { return plugin.plan(request); });
    check_plan(plan, request.model.graph, request.groups, request.budget, name_);
    return plan;
  }
};

class GuardedModelSource final : public Guard<ModelSource> {
 public:
  using Guard::Guard;

  Model fresh(Random& random) const override {
    return guard([&](const auto& plugin) { return plugin.fresh(random); });
  }
  Model from_checkpoint(const Checkpoint& checkpoint) const override {
    return guard([&](const auto& plugin) { return plugin.from_checkpoint(checkpoint); });
  }
  std::vector<std::string> spatial_nodes() const override {
    return guard([](const auto& plugin) { return plugin.spatial_nodes(); });
  }
  std::map<std::string, double> paper_figures(const Graph& graph) const override {
    return guard([&](const auto& plugin) { return plugin.paper_figures(graph); });
  }
};

class GuardedDataSet final : public Guard<DataSet> {
 public:
  using Guard::Guard;

  Shape input_shape() const override {
    return guard([](const auto& plugin) { return plugin.input_shape(); });
  }
  const std::vector<std::string>& class_names() const override {
    return *guard([](const auto& plugin) { return &plugin.class_names(); });
  }
  std::int64_t target_count() const override {
    return guard([](const auto& plugin) { return plugin.target_count(); });
  }
  std::int64_t size(Part part) const override {
    return guard([&](const auto& plugin) { return plugin.size(part); });
  }
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override {
    guard([&](const auto& plugin) { plugin.training_example(index, random, input, target); });
  }
  std::int64_t view_count() const override {
    return guard([](const auto& plugin) { return plugin.view_count(); });
  }
  std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> views) const override {
    return guard([&](const auto& plugin) { return plugin.evaluation_views(part, index, views); });
  }
  std::string clip_name(Part part, std::int64_t index) const override {
    return guard([&](const auto& plugin) { return plugin.clip_name(part, index); });
  }
  std::string description() const override {
    return guard([](const auto& plugin) { return plugin.description(); });
  }
};

class GuardedObserver final : public Guard<Observer> {
 public:
  using Guard::Guard;

  std::unique_ptr<Observer> fresh() const override {
    return std::make_unique<GuardedObserver>(guard([](const auto& plugin) { return plugin.fresh(); }), name_);
  }
  void observe(std::span<const float> values) override {
    under_guard(name_, [&] { plugin_->observe(values); });
  }
  Range range() const override {
    return guard([](const auto& plugin) { return plugin.range(); });
  }
};

class GuardedExporter final : public Guard<Exporter> {
 public:
  using Guard::Guard;

  ExportResult run(const ExportRequest& request) const override {
    return guard([&](const auto& plugin) { return plugin.run(request); });
  }
};

template <typename Kind, typename GuardedKind>
typename Catalog<Kind>::Factory factory_of(typename Catalog<Kind>::Factory make, std::string name) {
  return [make = std::move(make), name = std::move(name)](const Options& options) -> std::unique_ptr<Kind> {
    auto plugin = under_guard(name, [&] { return make(options); });
    return std::make_unique<GuardedKind>(std::move(plugin), name);
  };
}

}  // namespace

void check_plan(const PruningPlan& plan, const Graph& graph, std::span<const PruningGroup> groups,
                const Budget& budget, const std::string& name) {
  try {
    verify_plan(plan, graph, groups);
  } catch (const Error& error) {
    tell(name, error.what(), "");
  }
  const NetworkCost cost = cost_of(pruned_graph(graph, groups, plan));
  for (const auto& bound : budget.bounds) {
    const auto left = amount_of(bound.resource, cost);
    if (left > bound.amount)
      tell(name, fmt::format("a plan that leaves {} {}", left, name_of(bound.resource)),
           fmt::format("at most {}", bound.amount));
  }
}

template <>
Catalog<ModelSource>::Factory guarded<ModelSource>(Catalog<ModelSource>::Factory make, std::string name) {
  return factory_of<ModelSource, GuardedModelSource>(std::move(make), std::move(name));
}
template <>
Catalog<DataSet>::Factory guarded<DataSet>(Catalog<DataSet>::Factory make, std::string name) {
  return factory_of<DataSet, GuardedDataSet>(std::move(make), std::move(name));
}
template <>
Catalog<Criterion>::Factory guarded<Criterion>(Catalog<Criterion>::Factory make, std::string name) {
  return factory_of<Criterion, GuardedCriterion>(std::move(make), std::move(name));
}
template <>
Catalog<Strategy>::Factory guarded<Strategy>(Catalog<Strategy>::Factory make, std::string name) {
  return factory_of<Strategy, GuardedStrategy>(std::move(make), std::move(name));
}
template <>
Catalog<Observer>::Factory guarded<Observer>(Catalog<Observer>::Factory make, std::string name) {
  return factory_of<Observer, GuardedObserver>(std::move(make), std::move(name));
}
template <>
Catalog<Exporter>::Factory guarded<Exporter>(Catalog<Exporter>::Factory make, std::string name) {
  return factory_of<Exporter, GuardedExporter>(std::move(make), std::move(name));
}

}  // namespace compress
