#include "libcompress/pipeline/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/import/npy.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/simulation.h"
#include "libcompress/recipe/quantity.h"

namespace compress {

namespace {

std::unique_ptr<Observer> make_observer(const Plugins& plugins, const std::string& name,
                                        const QuantizeOptions& options) {
  std::map<std::string, OptionValue> values;
  for (const auto& option : plugins.observers.entry(name).options) {
    if (option.name == "percentile") values["percentile"] = options.percentile;
  }
  return plugins.observers.make(name, values);
}

std::vector<ObserverRule> rules_of(const Plugins& plugins, const QuantizeOptions& options) {
  std::vector<ObserverRule> rules;
  for (const auto& text : options.observers) {
    const auto rule = parse_observer(text);
    if (!rule)
      throw Error(ErrorKind::usage, {"observers", "'" + text + "'",
                                     "a name pattern and an observer, as in \"conv1*=minmax\"", ""});
    rules.push_back({rule->pattern, make_observer(plugins, rule->observer, options)});
  }
  return rules;
}

/// Training moves the weights itself.
QuantizeSettings settings_of(const QuantizeOptions& options) {
  QuantizeSettings settings;
  settings.profile = options.profile;
  settings.one_scale = options.per_tensor;
  settings.equalize = options.equalize;
  settings.int16 = {options.int16, options.int16_sqnr};
  if (!options.fine_tune) settings.repairs = {options.adaround, options.bias_correction};
  return settings;
}

/// Whether the first output holds probabilities, and not logits.
bool ends_in_softmax(const QuantizedGraph& graph) {
  const auto output = graph.outputs.front();
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const QNode& node) {
    return node.output == output && std::holds_alternative<QSoftmax>(node.op);
  });
}

}  // namespace

Quantization quantize_as(const QuantizeOptions& options, const Model& model, CalibrationSource& inputs,
                         const Plugins& plugins, Reporter& reporter) {
  const auto observer = make_observer(plugins, options.observer, options);
  return post_training(model, {inputs, *observer, reporter, rules_of(plugins, options)},
                       settings_of(options));
}

std::vector<float> calibration_inputs(const std::filesystem::path& inputs, const DataSet& data,
                                      std::int64_t samples, std::uint64_t seed) {
  return inputs.empty() ? sample_views(data, Part::train, samples, seed)
                        : examples_of_file(inputs, data.input_shape());
}

std::vector<float> examples_of_file(const std::filesystem::path& inputs, const Shape& one) {
  const auto examples = read_examples(inputs);
  const auto& shape = examples.shape();
  if (shape.front() == 0)
    throw Error(ErrorKind::input, {inputs.string(), "no inputs", "one example or more", ""});
  if (!std::equal(shape.begin() + 1, shape.end(), one.begin(), one.end()))
    throw Error(ErrorKind::input, {inputs.string(), "examples of shape " + to_string(shape),
                                   to_string(one) + " behind their count", ""});
  const auto values = examples.as<float>();
  return {values.begin(), values.end()};
}

Quantization fine_tuned(const Quantization& made, const QuantizeOptions& options, const DataSet& data,
                        TrainJob job, std::vector<EpochMetrics>* history) {
  job.options = *options.fine_tune;
  job.rounding = grids_of(made.folded.graph, made.graph);
  if (options.fine_tune->distillation)
    job.distillation.emplace(Distillation{made.folded, *options.fine_tune->distillation});
  auto trained = train(made.folded, data, job);
  if (history) *history = std::move(trained.history);
  return with_weights(made, std::move(trained.model.weights), settings_of(options));
}

std::vector<float> sample_views(const DataSet& data, Part part, std::int64_t count, std::uint64_t seed) {
  const auto clips = data.size(part);
  if (clips == 0)
    throw Error(ErrorKind::input,
                {"data set", std::string("no clip in the part ") + name_of(part), "one or more", ""});
  const auto view_size = static_cast<std::size_t>(element_count(data.input_shape()));
  const auto views = data.view_count();
  Random random = Random::stream(seed, 0xca11b);
  std::vector<std::size_t> order(static_cast<std::size_t>(clips));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  std::vector<float> clip(view_size * static_cast<std::size_t>(views));
  std::vector<float> chosen;
  chosen.reserve(view_size * static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    data.evaluation_views(part, static_cast<std::int64_t>(order[static_cast<std::size_t>(i % clips)]), clip);
    const auto view = clip.begin() + static_cast<std::ptrdiff_t>(view_size) * random.below(views);
    chosen.insert(chosen.end(), view, view + static_cast<std::ptrdiff_t>(view_size));
  }
  return chosen;
}

void check_fit(const QuantizedGraph& graph, const DataSet& data) {
  const auto takes = graph.value(graph.inputs.front()).shape;
  const auto gives = element_count(graph.value(graph.outputs.front()).shape);
  if (element_count(takes) != element_count(data.input_shape()) || gives != data.target_count())
    throw Error(ErrorKind::input,
                {fmt::format("int8 network '{}' on data '{}'", graph.name, data.description()),
                 fmt::format("an input of shape {} and {} outputs", to_string(takes), gives),
                 fmt::format("as many elements as {}, and {}, one a class", to_string(data.input_shape()),
                             data.target_count()),
                 ""});
}

Evaluation evaluate_int8(const QuantizedGraph& graph, const RunInt8& run_view, const DataSet& data,
                         const EvaluateOptions& options) {
  const auto view_size = static_cast<std::size_t>(element_count(data.input_shape()));
  const auto outputs = element_count(graph.value(graph.outputs.front()).shape);
  const Predict predict = [&](std::span<const float> views, std::int64_t count) {
    std::vector<float> scores;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const auto output = run_view(quantize_input(graph, views.subspan(i * view_size, view_size)));
      const auto real = dequantize_output(graph, output);
      scores.insert(scores.end(), real.begin(), real.end());
    }
    return scores;
  };
  return evaluate_scores(ends_in_softmax(graph), predict, outputs, data, Part::test, options);
}

std::int64_t parameter_count(const QuantizedGraph& graph) {
  std::int64_t count = 0;
  for (const auto& value : graph.values) count += value.constant.empty() ? 0 : element_count(value.shape);
  return count;
}

std::int64_t FirstClips::size(Part part) const {
  const auto all = data_.size(part);
  return part == Part::test && clips_ > 0 ? std::min(clips_, all) : all;
}

}  // namespace compress
