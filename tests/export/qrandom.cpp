// Writes random 8-bit networks as TensorFlow Lite files, with inputs and what the reference executor makes of
// them: how the Python tests compare it with LiteRT on many networks.
//
// qrandom FOLDER FIRST COUNT INPUTS [wide]: some activations have 16 bits
// For each seed from FIRST: SEED.tflite, SEED.inputs and SEED.outputs (int8, example after example, of an
// example all outputs), and a line "SEED PROFILE" on the standard output; "SEED refused: WHY" for a network
// that TensorFlow Lite has no operators for.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/export/tflite_writer.h"
#include "tests/export/graphs.h"

namespace {

using namespace compress;

void write(const std::filesystem::path& folder, std::uint64_t seed, std::size_t inputs, bool wide) {
  const auto graph = wide ? testing_graphs::random_wide_graph(seed) : testing_graphs::random_graph(seed);
  std::string file;
  try {
    file = tflite_bytes(graph);
  } catch (const Error& error) {
    fmt::print("{} refused: {}\n", seed, error.what());
    return;
  }
  std::string given, made;
  for (const auto& vector : testing_graphs::record(graph, inputs, seed)) {
    given.append(reinterpret_cast<const char*>(vector.input.data()), vector.input.size());
    made.append(reinterpret_cast<const char*>(vector.output.data()), vector.output.size());
  }
  write_file(folder / fmt::format("{}.tflite", seed), file);
  write_file(folder / fmt::format("{}.inputs", seed), given);
  write_file(folder / fmt::format("{}.outputs", seed), made);
  fmt::print("{} {}\n", seed, graph.profile);
}

}  // namespace

int main(int argc, char** argv) {
  const bool wide = argc == 6 && std::string(argv[5]) == "wide";
  if (argc != 5 && !wide) {
    fmt::print(stderr, "qrandom FOLDER FIRST COUNT INPUTS [wide]\n");
    return 2;
  }
  try {
    const auto first = std::stoull(argv[2]), count = std::stoull(argv[3]);
    for (auto seed = first; seed < first + count; ++seed) write(argv[1], seed, std::stoull(argv[4]), wide);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
  return 0;
}
