#include <fmt/format.h>

#include "libcompress/analysis/cost.h"
#include "libcompress/export/verify.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/quant/reference.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/train/evaluate.h"
#include "tools/command/data_options.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  ModelArguments model;
  DataArguments data;
  QuantizeArguments quantize;
  std::string as = "float";
  int threads = 0;
};

/// Accuracy of the int8 reference, or of compiled C that is compared with it byte by byte.
Evaluation evaluate_in_int8(const Arguments& arguments, const Model& model, const DataSet& data,
                            const Session& session, json& object) {
  const QuantizedGraph graph =
      arguments.quantize.quantized(model, data, session.plugins, session.terminal).graph;
  const EvaluateOptions options{.reporter = &session.terminal, .activity = "evaluate " + arguments.as};
  const ReferenceExecutor reference(graph);
  object["constant_bytes"] = constant_bytes_of(graph);
  if (arguments.as == "int8") {
    return evaluate_int8(graph, [&](const auto& input) { return reference.run(input); }, data, options);
  }
  const auto exported = session.plugins.exporters.make("c", {})->run({graph, "network", {}, {}});
  const HostBuild host = compile_for_host(exported, "network");
  if (!host.network)
    throw Error(ErrorKind::input, {"C code", host.skipped, "a C compiler", "see: libcompress doctor"});
  std::int64_t views = 0, different = 0;
  const auto evaluation = evaluate_int8(
      graph,
      [&](const auto& input) {
        const auto found = host.network->run(input);
        different += found != reference.run(input);
        ++views;
        return found;
      },
      data, options);
  object["arena_bytes"] = exported.arena_bytes;
  object["compared_views"] = views;
  object["different_views"] = different;
  return evaluation;
}

int evaluate_network(const Session& session, const Arguments& arguments) {
  const int threads = use_threads(arguments.threads);
  const Model model = arguments.model.load(session.plugins).model;
  const auto outputs = element_count(model.graph.value(model.graph.outputs().front()).shape);
  const auto data = arguments.data.load(session.plugins, outputs);
  check_fit(model.graph, *data);
  const NetworkCost cost = cost_of(model.graph);
  json object = {{"as", arguments.as},
                 {"data", data->description()},
                 {"params", cost.params},
                 {"macs", cost.macs},
                 {"threads", threads}};
  const Evaluation evaluation =
      arguments.as == "float"
          ? evaluate(model, *data, Part::test, {.reporter = &session.terminal, .activity = "evaluate"})
          : evaluate_in_int8(arguments, model, *data, session, object);
  object["correct"] = evaluation.correct;
  object["total"] = evaluation.total;
  object["accuracy"] = evaluation.accuracy();
  object["loss"] = evaluation.loss;
  std::string text =
      fmt::format("{} of {} clips right: {:.2f} %\nparams {}, MACs {}\n", evaluation.correct,
                  evaluation.total, 100 * evaluation.accuracy(), grouped(cost.params), grouped(cost.macs));
  if (object.contains("different_views"))
    text += fmt::format("{} of {} views differ between the compiled C and the int8 reference\n",
                        object["different_views"].get<std::int64_t>(),
                        object["compared_views"].get<std::int64_t>());
  session.print(object, text);
  return object.value("different_views", 0) == 0 ? 0 : static_cast<int>(ErrorKind::accuracy);
}

}  // namespace

Verb evaluate_verb() {
  return {"evaluate", "Measure a network's accuracy on the test part of a data set",
          "libcompress evaluate --model acdnet --checkpoint FILE.pt --data esc:DIR --folds 4 --json",
          [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            arguments->data.declare(app, true);
            arguments->quantize.declare(app);
            app.add_option(
                   "--as", arguments->as,
                   "float; int8: calibrated on the train part; c: the exported C, compiled and compared")
                ->check(CLI::IsMember({"float", "int8", "c"}));
            app.add_option("--threads", arguments->threads, "0: all cores")->check(CLI::Range(0, 1024));
            return [=](const Session& session) { return evaluate_network(session, *arguments); };
          }};
}

}  // namespace compress::command
