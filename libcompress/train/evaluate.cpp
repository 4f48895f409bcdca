#include "libcompress/train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/train/background.h"

namespace compress {
namespace {

/// The views of a few clips, made ahead.
struct Clips {
  std::int64_t first = 0;
  std::vector<std::int64_t> labels;
  std::vector<float> views;
};

Clips load_clips(const DataSet& data, Part part, std::int64_t first, std::int64_t last) {
  const auto clip_size = static_cast<std::size_t>(data.view_count() * element_count(data.input_shape()));
  Clips clips{first, {}, std::vector<float>(static_cast<std::size_t>(last - first) * clip_size)};
  for (auto clip = first; clip < last; ++clip) {
    const auto at = static_cast<std::size_t>(clip - first) * clip_size;
    clips.labels.push_back(data.evaluation_views(part, clip, std::span(clips.views).subspan(at, clip_size)));
  }
  return clips;
}

void softmax_rows(std::span<float> scores, std::size_t row_length) {
  for (std::size_t start = 0; start < scores.size(); start += row_length) {
    const auto row = scores.subspan(start, row_length);
    const float largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (auto& score : row) sum += score = std::exp(score - largest);
    for (auto& score : row) score = static_cast<float>(score / sum);
  }
}

bool ends_in_softmax(const Graph& graph) {
  const auto* last = graph.producer(graph.outputs().front());
  return last != nullptr && last->op == "softmax";
}

/// Averages the views of each clip and counts.
class Tally {
 public:
  Tally(std::int64_t outputs, std::int64_t views) : outputs_(outputs), views_(views) {
    result_.confusion.assign(static_cast<std::size_t>(outputs),
                             std::vector<std::int64_t>(static_cast<std::size_t>(outputs), 0));
  }

  void add(std::int64_t label, std::span<const float> view_probabilities) {
    std::vector<double> mean(static_cast<std::size_t>(outputs_), 0.0);
    for (std::size_t i = 0; i < view_probabilities.size(); ++i)
      mean[i % mean.size()] += view_probabilities[i] / static_cast<double>(views_);
    const auto predicted = std::max_element(mean.begin(), mean.end()) - mean.begin();
    result_.labels.push_back(label);
    result_.predicted.push_back(predicted);
    result_.total += 1;
    result_.correct += predicted == label ? 1 : 0;
    result_.confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(predicted)] += 1;
    loss_sum_ -= std::log(std::max(mean[static_cast<std::size_t>(label)], 1e-30));
    // max() with NaN keeps the other operand, so a NaN must be told apart by hand.
    if (std::isnan(mean[static_cast<std::size_t>(label)])) loss_sum_ = mean[static_cast<std::size_t>(label)];
  }

  Evaluation finished() {
    result_.loss = loss_sum_ / static_cast<double>(result_.total);
    return std::move(result_);
  }

  double accuracy() const { return result_.accuracy(); }

 private:
  std::int64_t outputs_;
  std::int64_t views_;
  double loss_sum_ = 0;
  Evaluation result_;
};

}  // namespace

void check_fit(const Graph& graph, const DataSet& data) {
  const auto where = fmt::format("network on data '{}'", data.description());
  const auto inputs = graph.inputs();
  if (inputs.size() != 1 || graph.outputs().empty())
    throw Error(ErrorKind::input,
                {where, fmt::format("{} inputs", inputs.size()), "one input and one output", ""});
  const auto& takes = graph.value(inputs.front()).shape;
  Shape given = data.input_shape();
  given.insert(given.begin(), 1);
  if (takes != given)
    throw Error(ErrorKind::input, {where, "an input of shape " + to_string(takes), to_string(given),
                                   "choose the model's input length or the data set's to agree"});
  const auto outputs = element_count(graph.value(graph.outputs().front()).shape);
  if (outputs != data.target_count())
    throw Error(ErrorKind::input, {where, fmt::format("{} outputs", outputs),
                                   fmt::format("{}, one a class of the data", data.target_count()),
                                   "set the number of classes of the model or of the data set"});
}

Evaluation evaluate(const Model& model, const DataSet& data, Part part, const EvaluateOptions& options) {
  check_fit(model.graph, data);
  Executor executor(model);
  const Predict scores = [&](std::span<const float> views, std::int64_t count) {
    return executor.run(views, count);
  };
  return evaluate_scores(model.graph, scores, data, part, options);
}

Evaluation evaluate_scores(const Graph& graph, const Predict& scores, const DataSet& data, Part part,
                           const EvaluateOptions& options) {
  return evaluate_scores(ends_in_softmax(graph), scores, data.target_count(), data, part, options);
}

Evaluation evaluate_scores(bool probabilities, const Predict& scores, std::int64_t outputs,
                           const DataSet& data, Part part, const EvaluateOptions& options) {
  if (probabilities) return evaluate_with(scores, outputs, data, part, options);
  const Predict softened = [&](std::span<const float> views, std::int64_t count) {
    auto found = scores(views, count);
    softmax_rows(found, static_cast<std::size_t>(outputs));
    return found;
  };
  return evaluate_with(softened, outputs, data, part, options);
}

Evaluation evaluate_with(const Predict& predict, std::int64_t outputs, const DataSet& data, Part part,
                         const EvaluateOptions& options) {
  const auto size = data.size(part);
  if (size == 0)
    throw Error(ErrorKind::input,
                {fmt::format("data '{}'", data.description()),
                 fmt::format("no clips in the {} part", name_of(part)), "at least one", ""});
  const auto views = data.view_count();
  const auto at_once = std::max<std::int64_t>(1, options.batch_views / views);
  const auto passes = (size + at_once - 1) / at_once;
  Background<Clips> clips(0, passes, 2, [&](std::int64_t pass) {
    return load_clips(data, part, pass * at_once, std::min(size, (pass + 1) * at_once));
  });

  auto& reporter = options.reporter != nullptr ? *options.reporter : silent_reporter();
  const auto clip_outputs = static_cast<std::size_t>(views * outputs);
  Tally tally(outputs, views);
  while (const auto batch = clips.next()) {
    const auto count = static_cast<std::int64_t>(batch->labels.size());
    const auto probabilities = predict(batch->views, count * views);
    for (std::size_t i = 0; i < batch->labels.size(); ++i) {
      const auto label = batch->labels[i];
      if (label < 0 || label >= outputs)
        throw Error(
            ErrorKind::input,
            {fmt::format("clip '{}'", data.clip_name(part, batch->first + static_cast<std::int64_t>(i))),
             fmt::format("label {}", label), fmt::format("0 to {}", outputs - 1), ""});
      tally.add(label, std::span(probabilities).subspan(i * clip_outputs, clip_outputs));
    }
    reporter.progress(options.activity, batch->first + count, size,
                      fmt::format("accuracy {:.1f} %", 100 * tally.accuracy()));
    stop_if_requested(reporter);
  }
  return tally.finished();
}

}  // namespace compress
