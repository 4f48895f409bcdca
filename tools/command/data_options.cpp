#include "tools/command/data_options.h"

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/train/evaluate.h"
#include "tools/command/model_options.h"

namespace compress::command {
namespace {

bool has_option(const OptionTable& table, std::string_view name) {
  return std::any_of(table.begin(), table.end(), [&](const auto& option) { return option.name == name; });
}

}  // namespace

void DataArguments::declare(CLI::App& app, bool required) {
  auto* option = app.add_option(
      "--data", data, "data set: a plugin's name, with a folder behind a colon if it takes one (esc:DIR)");
  if (required) option->required();
  app.add_option("--data-option", options, "option of the data set, as in --data-option train_folds=1,2")
      ->allow_extra_args(false);
  app.add_option("--folds", folds, "folds of the test part, as in --folds 4");
}

std::unique_ptr<DataSet> DataArguments::load(const Plugins& plugins, std::int64_t outputs) const {
  const auto colon = data.find(':');
  const auto name = data.substr(0, colon);
  const auto& table = plugins.datasets.entry(name).options;
  auto pairs = options;
  if (colon != std::string::npos) pairs.push_back("path=" + data.substr(colon + 1));
  if (!folds.empty()) pairs.push_back("test_folds=" + folds);
  auto values = read_options(pairs, table, "--data-option");
  auto made = plugins.datasets.make(name, values);
  if (made->target_count() == outputs || !has_option(table, "classes") || values.contains("classes"))
    return made;
  values["classes"] = outputs;
  return plugins.datasets.make(name, values);
}

std::unique_ptr<DataSet> DataArguments::load_for(const Model& model, const Plugins& plugins) const {
  if (data.empty()) return nullptr;
  const auto outputs = element_count(model.graph.value(model.graph.outputs().front()).shape);
  auto made = load(plugins, outputs);
  check_fit(model.graph, *made);
  return made;
}

std::int64_t example_size(const Model& model) {
  return element_count(model.graph.value(model.graph.inputs().front()).shape);
}

void QuantizeArguments::declare(CLI::App& app) {
  app.add_option("--profile", options.profile, "whose kernels the 8-bit network is rounded like")
      ->check(CLI::IsMember({"litert", "tflite-micro"}))
      ->capture_default_str();
  app.add_option("--observer", options.observer, "observer plugin that chooses the ranges of activations")
      ->capture_default_str();
  app.add_option("--observers", options.observers,
                 "another observer for some nodes, as in --observers conv1*=minmax; may be given again")
      ->allow_extra_args(false);
  app.add_option("--percentile", options.percentile, "for the percentile observer, percent")
      ->capture_default_str();
  app.add_option("--per-tensor", options.per_tensor,
                 "pattern (*, ?) of nodes whose weights share one scale; may be given again")
      ->allow_extra_args(false);
  app.add_option("--int16", options.int16,
                 "pattern (*, ?) of nodes whose activations have 16 bits; may be given again")
      ->allow_extra_args(false);
  app.add_option("--int16-sqnr", options.int16_sqnr,
                 "dB at the output, which as many further nodes get 16 bits for as it needs")
      ->check(CLI::Range(0.0, 200.0));
  app.add_flag("--equalize,!--no-equalize", options.equalize,
               "bring channels of consecutive layers to like ranges first");
  app.add_flag("--bias-correction,!--no-bias-correction", options.bias_correction,
               "add to each bias what 8 bits took from its channel's mean; on unless switched off");
  app.add_flag("--adaround,!--no-adaround", options.adaround,
               "round weights so that the output of their layer changes least; on unless switched off");
  app.add_option("--inputs", options.inputs, "calibration examples in place of the train part: .npy or .npz");
  app.add_option("--samples", options.samples, "calibration views, from the train part")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
}

std::vector<float> QuantizeArguments::examples(const Model& model, const DataSet* data) const {
  if (options.inputs) {
    auto shape = model.graph.value(model.graph.inputs().front()).shape;
    shape.erase(shape.begin());
    return examples_of_file(*options.inputs, shape);
  }
  if (data == nullptr)
    throw Error(ErrorKind::usage, {"quantization", "no calibration examples",
                                   "--data PLUGIN[:FOLDER], or --inputs with an .npy or .npz file", ""});
  return sample_views(*data, Part::train, options.samples, seed);
}

Quantization QuantizeArguments::quantized(const Model& model, std::vector<float> examples,
                                          const Plugins& plugins, Terminal& terminal) const {
  ArraySource inputs(std::move(examples), example_size(model));
  return quantize_as(options, model, inputs, plugins, terminal);
}

}  // namespace compress::command
