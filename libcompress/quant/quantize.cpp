#include "libcompress/quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "libcompress/base/error.h"
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
  std::map<ValueId, std::unique_ptr<Observer>> observers;
  std::int64_t done = 0;
  calibration.inputs.for_each_batch([&](std::span<const float> inputs, std::int64_t count) {
    stop_if_requested(calibration.reporter);
    executor.run_observed(inputs, count, [&](ValueId id, std::span<const float> values, const Shape&) {
      expect_finite(folded.graph, id, values);
      auto& observer = observers[id];
      if (!observer) observer = calibration.observer.fresh();
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

QuantizedGraph quantize(const Model& model, const Calibration& calibration, const std::string& profile) {
  const auto folded = fold(model);
  return lower(folded, calibrate(folded, calibration), profile);
}

}  // namespace compress
