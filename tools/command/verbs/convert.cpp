#include <fmt/format.h>

#include "libcompress/pipeline/model_file.h"
#include "tools/command/figures.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

struct Arguments {
  ModelArguments model;
  std::string out;
  bool weights_only = false;
};

int convert(const Session& session, const Arguments& arguments) {
  const std::filesystem::path path = arguments.out;
  check_ending(path);
  if (arguments.weights_only && path.extension() == ".onnx")
    throw Error(ErrorKind::usage,
                {"--weights-only", "an ONNX file, which holds the graph", ".safetensors", ""});
  const Model model = arguments.model.load(session.plugins).model;
  if (arguments.weights_only) {
    save_weights(path, model);
  } else {
    write_model(path, model);
  }
  session.print({{"out", arguments.out}, {"name", model.name}, {"batch", batch_text(model.graph)}},
                written_text(model.graph, path));
  return 0;
}

}  // namespace

Verb convert_verb() {
  return {"convert", "Write a network in another format: ONNX or safetensors",
          "libcompress convert network.safetensors --out network.onnx", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            app.add_option("--out", arguments->out, "the file to write: .onnx or .safetensors")->required();
            app.add_flag("--weights-only", arguments->weights_only,
                         "safetensors of the weights, without the graph");
            return [=](const Session& session) { return convert(session, *arguments); };
          }};
}

}  // namespace compress::command
