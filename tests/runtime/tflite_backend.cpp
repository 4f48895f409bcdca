// Reads TensorFlow Lite files and runs them: for each folder named on the command line, which holds
// model.tflite and inputs.safetensors (tensors named 0, 1, ...), writes outputs.safetensors and one line
//
//   FOLDER <tab> ok <tab> number of permutes
//   FOLDER <tab> refused <tab> why
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/import/tflite.h"
#include "libcompress/runtime/executor.h"

namespace compress {
namespace {

std::string run_folder(const std::filesystem::path& folder) {
  try {
    const auto model = read_tflite(folder / "model.tflite");
    const auto stored = read_safetensors(folder / "inputs.safetensors").tensors;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < stored.size(); ++i) inputs.push_back(stored.at(std::to_string(i)));
    StateDict outputs;
    for (const auto& output : run_all(model, inputs)) outputs[std::to_string(outputs.size())] = output;
    write_safetensors(folder / "outputs.safetensors", outputs, {});
    const auto& nodes = model.graph.nodes();
    const auto permutes =
        std::count_if(nodes.begin(), nodes.end(), [](const auto& node) { return node.op == "permute"; });
    return fmt::format("ok\t{}", permutes);
  } catch (const Error& error) {
    return fmt::format("refused\t{}", error.what());
  }
}

}  // namespace
}  // namespace compress

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::filesystem::path folder = arguments[i];
    std::cout << folder.filename().string() << '\t' << compress::run_folder(folder) << '\n';
  }
}
