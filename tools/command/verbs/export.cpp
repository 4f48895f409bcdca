#include <fmt/format.h>

#include <filesystem>

#include "libcompress/base/files.h"
#include "libcompress/export/target.h"
#include "libcompress/pipeline/target_fit.h"
#include "libcompress/quant/quantized_file.h"
#include "tools/command/data_options.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

struct Arguments {
  ModelArguments model;
  DataArguments data;
  QuantizeArguments quantize;
  std::string exporter = "c";
  std::string memory;  ///< of the exporter c; empty: as it has it
  bool profile_given = false;
  std::string name = "network";
  std::string target;  ///< empty: any processor
  std::string folder;
  std::int64_t vectors = 8;
};

/// An int8 .tflite file rounds as the caller says, a network of this program as it was quantized.
QuantizedGraph loaded(const Arguments& arguments) {
  const auto& profile = arguments.quantize.options.profile;
  auto graph = load_quantized(arguments.model.file, profile);
  if (arguments.profile_given && graph.profile != profile)
    throw Error(ErrorKind::usage,
                {"--profile",
                 fmt::format("{}, but {} was quantized for {}", profile, arguments.model.file, graph.profile),
                 graph.profile, fmt::format("quantize the float network with --profile {}", profile)});
  return graph;
}

QuantizedGraph quantized(const Session& session, const Arguments& arguments,
                         std::vector<std::string>& classes) {
  if (!arguments.model.file.empty() && is_quantized_file(arguments.model.file)) return loaded(arguments);
  const Model model = arguments.model.load(session.plugins).model;
  const auto data = arguments.data.load_for(model, session.plugins);
  if (data) classes = data->class_names();
  return arguments.quantize
      .quantized(model, arguments.quantize.examples(model, data.get()), session.plugins, session.terminal)
      .graph;
}

std::map<std::string, OptionValue> exporter_options(const Arguments& arguments) {
  if (arguments.memory.empty()) return {};
  return {{"memory", arguments.memory}};
}

int export_files(const Session& session, const Arguments& arguments) {
  std::vector<std::string> classes;
  const QuantizedGraph graph = quantized(session, arguments, classes);
  const auto exporter = session.plugins.exporters.make(arguments.exporter, exporter_options(arguments));
  const auto target = arguments.target.empty() ? Target{} : load_target(arguments.target);
  const ExportResult result =
      export_network(*exporter, graph, {arguments.name, arguments.vectors, classes, target.instructions});
  refuse_unfit(target, result);
  nlohmann::json files = nlohmann::json::array();
  std::string text;
  for (const auto& [name, content] : result.files) {
    const auto path = std::filesystem::path(arguments.folder) / name;
    write_file(path, content);
    files.push_back(path.string());
    text += path.string() + "\n";
  }
  if (result.arena_bytes > 0) text += fmt::format("arena {} bytes, ", grouped(result.arena_bytes));
  text +=
      fmt::format("constants {} bytes, {} MACs\n", grouped(result.constant_bytes), grouped(macs_of(graph)));
  session.print({{"files", files},
                 {"arena_bytes", result.arena_bytes},
                 {"constant_bytes", result.constant_bytes},
                 {"macs", macs_of(graph)}},
                text);
  return 0;
}

}  // namespace

Verb export_verb() {
  return {"export", "Quantize a network, if it is not yet, and write it as C or for another runtime",
          "libcompress export runs/demo/quantized.safetensors --out c --name sound_net", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            arguments->data.declare(app, false);
            arguments->quantize.declare(app);
            app.add_option("--to,--exporter", arguments->exporter, "exporter plugin")->capture_default_str();
            app.add_option("--memory", arguments->memory,
                           "of the exporter c: whole tensors, rows, or whichever needs less")
                ->check(CLI::IsMember({"auto", "whole", "stream"}));
            app.add_option("--name", arguments->name, "C identifier that opens every generated name");
            app.add_option("--target", arguments->target,
                           "kernels for this target, a name that bench --targets lists or a .yaml file");
            app.add_option("--out", arguments->folder, "folder for the files")->required();
            app.add_option("--vectors", arguments->vectors, "test vectors")->check(CLI::Range(0, 1000));
            const auto* profile = app.get_option("--profile");
            return [=](const Session& session) {
              arguments->profile_given = profile->count() > 0;
              return export_files(session, *arguments);
            };
          }};
}

}  // namespace compress::command
