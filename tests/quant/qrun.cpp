// Runs an 8-bit network file on raw inputs and writes every activation: how the Python tests compare the
// reference executor with LiteRT.
//
// qrun NETWORK.safetensors|NETWORK.tflite INPUTS.raw OUTPUT.safetensors [PROFILE]
// INPUTS.raw holds int8 NHWC inputs one after the other; the output has a tensor [count, shape...] for each
// value, of its dtype.
#include <algorithm>
#include <cstdio>
#include <map>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/quant/quantized_file.h"
#include "libcompress/quant/reference.h"

namespace {

using namespace compress;

int run(const char* network, const char* inputs, const char* output, const std::string& profile) {
  const ReferenceExecutor executor(load_quantized(network, profile));
  const auto& graph = executor.graph();
  const auto bytes = read_bytes(inputs);
  const auto size = static_cast<std::size_t>(element_count(graph.value(graph.inputs[0]).shape));
  const auto count = bytes.size() / size;
  const auto* data = reinterpret_cast<const std::int8_t*>(bytes.data());
  StateDict tensors;
  for (std::size_t i = 0; i < count; ++i) {
    executor.run_observed({data + i * size, size}, [&](QValueId id, const Tensor& values) {
      const auto& value = graph.value(id);
      auto& tensor = tensors[value.name];
      if (tensor.empty()) {
        Shape shape = value.shape;
        shape[0] = static_cast<std::int64_t>(count);
        tensor = Tensor(value.dtype, shape);
      }
      std::ranges::copy(values.bytes(),
                        tensor.bytes().begin() + static_cast<std::ptrdiff_t>(i * values.byte_count()));
    });
  }
  write_safetensors(output, tensors);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "qrun NETWORK INPUTS.raw OUTPUT.safetensors [PROFILE]\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "litert");
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
