#include "libcompress/quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "libcompress/analysis/groups.h"
#include "libcompress/base/error.h"
#include "libcompress/quant/equalize.h"
#include "libcompress/quant/fold.h"
#include "libcompress/runtime/executor.h"

namespace compress {
namespace {

void expect_finite(const Graph& graph, ValueId id, std::span<const float> values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad == values.end()) return;
  const auto* producer = graph.producer(id);
  const auto where =
      producer ? fmt::format("node '{}'", producer->name) : fmt::format("input '{}'", graph.value(id).name);
  throw Error(ErrorKind::input, {where, fmt::format("{} during calibration", *bad), "finite activations",
                                 producer ? "look at its weights: they may have diverged in training"
                                          : "look at the calibration data"});
}

/// The names by which a rule may mean a value.
std::vector<std::string> names_of(const Graph& graph, ValueId id) {
  std::vector<std::string> names = {graph.value(id).name};
  const auto* producer = graph.producer(id);
  if (!producer || producer->op != "relu") return names;
  if (const auto* before = graph.producer(producer->inputs[0])) names.push_back(before->name);
  return names;
}

/// Which observer each input and activation gets.
class ObserverChoice {
 public:
  ObserverChoice(const Graph& graph, const Calibration& calibration) : calibration_(calibration) {
    std::vector<bool> used(calibration.rules.size());
    for (const auto& value : graph.values()) {
      if (value.kind != ValueKind::input && value.kind != ValueKind::activation) continue;
      for (std::size_t i = 0; i < used.size(); ++i) {
        if (!means(calibration.rules[i], graph, value.id)) continue;
        used[i] = true;
        chosen_[value.id] = calibration.rules[i].observer.get();
      }
    }
    const auto unused = std::find(used.begin(), used.end(), false);
    if (unused == used.end()) return;
    const auto& pattern = calibration.rules[static_cast<std::size_t>(unused - used.begin())].pattern;
    throw Error(ErrorKind::usage,
                {"observers", fmt::format("'{}' matches no node", pattern),
                 "names or patterns (*, ?) of nodes and inputs", "see: libcompress inspect"});
  }

  std::unique_ptr<Observer> fresh(ValueId id) const {
    const auto found = chosen_.find(id);
    return found == chosen_.end() ? calibration_.observer.fresh() : found->second->fresh();
  }

 private:
  static bool means(const ObserverRule& rule, const Graph& graph, ValueId id) {
    const auto names = names_of(graph, id);
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& name) { return matches(rule.pattern, name); });
  }

  const Calibration& calibration_;
  std::map<ValueId, const Observer*> chosen_;
};

/// The nodes with weights that `patterns` match.
NodeNames weighted_nodes(const Graph& graph, const std::vector<std::string>& patterns) {
  NodeNames names;
  for (const auto& pattern : patterns) {
    bool used = false;
    for (const auto& node : graph.nodes()) {
      if ((node.op != "conv" && node.op != "linear") || !matches(pattern, node.name)) continue;
      used = true;
      names.insert(node.name);
    }
    if (!used)
      throw Error(ErrorKind::usage, {"per_tensor", fmt::format("'{}' matches no node with weights", pattern),
                                     "names or patterns (*, ?) of convolutions and linear layers", ""});
  }
  return names;
}

std::vector<float> all_of(CalibrationSource& source) {
  std::vector<float> all;
  source.for_each_batch([&](std::span<const float> inputs, std::int64_t) {
    all.insert(all.end(), inputs.begin(), inputs.end());
  });
  return all;
}

void set_widths(Quantization& made, const Calibration& calibration, const WidthRequest& request) {
  auto inputs = all_of(calibration.inputs);
  const auto count = std::min(calibration.inputs.size(), kWidthInputs);
  inputs.resize(inputs.size() / static_cast<std::size_t>(calibration.inputs.size()) *
                static_cast<std::size_t>(count));
  auto chosen =
      choose_widths(made.folded, std::move(made.graph), request, inputs, count, calibration.reporter);
  made.graph = std::move(chosen.graph);
  made.wide = std::move(chosen.wide);
  made.search = std::move(chosen.search);
}

}  // namespace

ArraySource::ArraySource(std::vector<float> inputs, std::int64_t example_size, std::int64_t batch)
    : inputs_(std::move(inputs)), example_size_(example_size), batch_(batch) {
  const auto count = static_cast<std::int64_t>(inputs_.size());
  if (example_size < 1 || batch < 1 || count % example_size != 0) {
    throw Error(ErrorKind::usage, {"calibration inputs", fmt::format("{} numbers", count),
                                   fmt::format("whole examples of {}", example_size), ""});
  }
}

std::int64_t ArraySource::size() const { return static_cast<std::int64_t>(inputs_.size()) / example_size_; }

void ArraySource::for_each_batch(const std::function<void(std::span<const float>, std::int64_t)>& use) {
  for (std::int64_t first = 0; first < size(); first += batch_) {
    const auto count = std::min(batch_, size() - first);
    use(std::span(inputs_).subspan(static_cast<std::size_t>(first * example_size_),
                                   static_cast<std::size_t>(count * example_size_)),
        count);
  }
}

ValueRanges calibrate(const Model& folded, const Calibration& calibration) {
  Executor executor(folded);
  const ObserverChoice choice(folded.graph, calibration);
  std::map<ValueId, std::unique_ptr<Observer>> observers;
  std::int64_t done = 0;
  calibration.inputs.for_each_batch([&](std::span<const float> inputs, std::int64_t count) {
    stop_if_requested(calibration.reporter);
    executor.run_observed(inputs, count, [&](ValueId id, std::span<const float> values, const Shape&) {
      expect_finite(folded.graph, id, values);
      auto& observer = observers[id];
      if (!observer) observer = choice.fresh(id);
      observer->observe(values);
    });
    done += count;
    calibration.reporter.progress("calibrate", done, calibration.inputs.size(), "");
  });
  if (done == 0) {
    throw Error(ErrorKind::input, {"calibration", "no inputs", "one or more",
                                   "name a data set with a training part, or ask for more samples"});
  }
  ValueRanges ranges;
  for (const auto& [id, observer] : observers) ranges[folded.graph.value(id).name] = observer->range();
  return ranges;
}

Quantization post_training(const Model& model, const Calibration& calibration,
                           const QuantizeSettings& settings) {
  Quantization result;
  result.folded = fold(model);
  if (settings.equalize) result.folded = equalize(result.folded);
  const auto one_scale = weighted_nodes(result.folded.graph, settings.one_scale);
  result.ranges = calibrate(result.folded, calibration);
  result.graph = lower(result.folded, result.ranges, settings.profile, one_scale);
  if (settings.repairs.any()) {
    const auto repaired = repair_weights(result.folded, result.graph, all_of(calibration.inputs),
                                         calibration.inputs.size(), settings.repairs, calibration.reporter);
    result.graph = lower(repaired, result.ranges, settings.profile, one_scale);
  }
  if (settings.int16.any()) set_widths(result, calibration, settings.int16);
  return result;
}

Quantization with_weights(Quantization made, StateDict weights, const QuantizeSettings& settings) {
  made.folded.weights = std::move(weights);
  const auto one_scale = weighted_nodes(made.folded.graph, settings.one_scale);
  made.graph = widened(lower(made.folded, made.ranges, settings.profile, one_scale), made.wide);
  return made;
}

QuantizedGraph quantize(const Model& model, const Calibration& calibration, const std::string& profile) {
  return post_training(model, calibration, {.profile = profile}).graph;
}

}  // namespace compress
