#include "tools/command/vectors.h"

#include "libcompress/base/random.h"
#include "libcompress/quant/reference.h"

namespace compress::command {

std::vector<TestVector> random_vectors(const QuantizedGraph& graph, std::int64_t count) {
  const ReferenceExecutor reference(graph);
  const auto size = static_cast<std::size_t>(element_count(graph.value(graph.inputs.front()).shape));
  Random random(1);
  std::vector<TestVector> vectors(static_cast<std::size_t>(count));
  for (auto& vector : vectors) {
    vector.input.resize(size);
    for (auto& element : vector.input) element = static_cast<std::int8_t>(random.below(256) - 128);
    for (const auto& output : reference.run_all(vector.input))
      vector.output.insert(vector.output.end(), output.begin(), output.end());
  }
  return vectors;
}

}  // namespace compress::command
