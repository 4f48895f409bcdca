#include <fmt/format.h>

#include "libcompress/analysis/cost.h"
#include "libcompress/base/error.h"
#include "libcompress/export/verify.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/quant/quantized_file.h"
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
  std::string as;  ///< empty: as the file is
  int threads = 0;
};

/// Accuracy of the int8 reference, or of compiled C that is compared with it byte by byte.
Evaluation evaluate_graph(const Arguments& arguments, const QuantizedGraph& graph, const DataSet& data,
                          const Session& session, json& object) {
  const EvaluateOptions options{.reporter = &session.terminal, .activity = "evaluate " + arguments.as};
  const ReferenceExecutor reference(graph);
  object["constant_bytes"] = constant_bytes_of(graph);
  if (arguments.as != "c") {
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

/// A float network, quantized first if it is to be judged in 8 bits.
Evaluation evaluate_float(const Arguments& arguments, const Session& session, json& object) {
  const Model model = arguments.model.load(session.plugins).model;
  const auto data = arguments.data.load_for(model, session.plugins);
  const NetworkCost cost = cost_of(model.graph);
  object.update({{"data", data->description()}, {"params", cost.params}, {"macs", cost.macs}});
  if (object["as"] == "float")
    return evaluate(model, *data, Part::test, {.reporter = &session.terminal, .activity = "evaluate"});
  const auto made = arguments.quantize.quantized(model, arguments.quantize.examples(model, data.get()),
                                                 session.plugins, session.terminal);
  return evaluate_graph(arguments, made.graph, *data, session, object);
}

/// A network that has 8 bits already.
Evaluation evaluate_int8_file(const Arguments& arguments, const Session& session, json& object) {
  const auto graph = load_quantized(arguments.model.file, arguments.quantize.options.profile);
  const auto data =
      arguments.data.load(session.plugins, element_count(graph.value(graph.outputs.front()).shape));
  check_fit(graph, *data);
  object.update(
      {{"data", data->description()}, {"params", parameter_count(graph)}, {"macs", macs_of(graph)}});
  return evaluate_graph(arguments, graph, *data, session, object);
}

int evaluate_network(const Session& session, const Arguments& arguments) {
  const int threads = use_threads(arguments.threads);
  const bool int8_file = !arguments.model.file.empty() && is_quantized_file(arguments.model.file);
  if (int8_file && arguments.as == "float")
    throw Error(ErrorKind::usage,
                {"--as float", arguments.model.file + ", a network of 8 bits", "int8, c", ""});
  const std::string as = arguments.as.empty() ? (int8_file ? "int8" : "float") : arguments.as;
  json object = {{"as", as}, {"threads", threads}};
  const auto evaluation =
      int8_file ? evaluate_int8_file(arguments, session, object) : evaluate_float(arguments, session, object);
  object["correct"] = evaluation.correct;
  object["total"] = evaluation.total;
  object["accuracy"] = evaluation.accuracy();
  object["loss"] = evaluation.loss;
  std::string text =
      fmt::format("{} of {} clips right: {:.2f} %\nparams {}, MACs {}\n", evaluation.correct,
                  evaluation.total, 100 * evaluation.accuracy(),
                  grouped(object["params"].get<std::int64_t>()), grouped(object["macs"].get<std::int64_t>()));
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
                   "float; int8: calibrated on the train part; c: the exported C, compiled and compared; as "
                   "the file is by default")
                ->check(CLI::IsMember({"float", "int8", "c"}));
            app.add_option("--threads", arguments->threads, "0: all cores")->check(CLI::Range(0, 1024));
            return [=](const Session& session) { return evaluate_network(session, *arguments); };
          }};
}

}  // namespace compress::command
