#include <fmt/format.h>

#include <algorithm>

#include "libcompress/pipeline/calibration.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/quantized_file.h"
#include "libcompress/quant/sensitivity.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/train/evaluate.h"
#include "tools/command/data_options.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

constexpr std::int64_t kComparedInputs = 16;

struct Arguments {
  ModelArguments model;
  DataArguments data;
  QuantizeArguments quantize;
  std::string out;
  int threads = 0;
};

/// Other views than those of the calibration where there is a data set.
std::vector<float> compared_inputs(const QuantizeArguments& arguments, const DataSet* data,
                                   const std::vector<float>& examples, std::int64_t size,
                                   std::int64_t count) {
  if (data != nullptr) return sample_views(*data, Part::train, count, arguments.seed + 1);
  return {examples.begin(), examples.begin() + static_cast<std::ptrdiff_t>(size * count)};
}

int quantize_network(const Session& session, const Arguments& arguments) {
  use_threads(arguments.threads);
  const Model model = arguments.model.load(session.plugins).model;
  const auto data = arguments.data.load_for(model, session.plugins);
  const auto examples = arguments.quantize.examples(model, data.get());
  const auto made = arguments.quantize.quantized(model, examples, session.plugins, session.terminal);
  const auto size = example_size(model);
  const auto count = std::min(static_cast<std::int64_t>(examples.size()) / size, kComparedInputs);
  const auto inputs = compared_inputs(arguments.quantize, data.get(), examples, size, count);
  const auto difference = compare(made.folded, made.graph, inputs, count);
  const auto alone = sensitivity(made.folded, made.graph, inputs, count, session.terminal);
  json object = {{"layers", layer_errors_json(difference, alone)},
                 {"inputs", difference.inputs},
                 {"same_class", difference.same_class},
                 {"constant_bytes", constant_bytes_of(made.graph)}};
  if (difference.first_parting) object["first_parting"] = difference.layers[*difference.first_parting].value;
  std::string text = to_text(difference) + "\n" + to_text(alone, count);
  if (made.search) {
    object["int16"] = width_search_json(*made.search);
    text += "\n" + to_text(*made.search);
  }
  if (!arguments.out.empty()) {
    save_quantized(arguments.out, made.graph);
    object["file"] = arguments.out;
    text += fmt::format("\nwrote {}, {} bytes of constants\n", arguments.out,
                        grouped(constant_bytes_of(made.graph)));
  }
  session.print(object, text);
  return 0;
}

}  // namespace

Verb quantize_verb() {
  return {"quantize", "Bring a network to 8 bits and tell what each layer loses",
          "libcompress quantize network.onnx --inputs examples.npy --out quantized.safetensors",
          [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            arguments->data.declare(app, false);
            arguments->quantize.declare(app);
            app.add_option("--out", arguments->out, "the 8-bit network, which `export` takes");
            app.add_option("--threads", arguments->threads, "0: all cores")->check(CLI::Range(0, 1024));
            return [=](const Session& session) { return quantize_network(session, *arguments); };
          }};
}

}  // namespace compress::command
