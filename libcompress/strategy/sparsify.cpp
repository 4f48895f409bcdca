#include "libcompress/strategy/sparsify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"

namespace compress {
namespace {

std::vector<std::string> weight_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto id : graph.parameters()) {
    const auto& value = graph.value(id);
    if (value.kind == ValueKind::parameter && value.shape.size() > 1) names.push_back(value.name);
  }
  return names;
}

}  // namespace

StateDict magnitude_masks(const Model& model, double sparsity) {
  if (!(sparsity >= 0.0 && sparsity <= 1.0))
    throw Error(ErrorKind::usage, {"sparsity", fmt::format("{}", sparsity), "0 to 1", ""});
  const auto names = weight_names(model.graph);
  std::vector<float> magnitudes;
  for (const auto& name : names) {
    for (const auto weight : model.weights.find(name)->second.as<float>())
      magnitudes.push_back(std::abs(weight));
  }
  const auto zeros =
      static_cast<std::size_t>(std::llround(sparsity * static_cast<double>(magnitudes.size())));
  float threshold = 0.0f;
  std::size_t equals_kept = 0;  // of the weights at the threshold
  if (zeros > 0) {
    std::nth_element(magnitudes.begin(), magnitudes.begin() + static_cast<std::ptrdiff_t>(zeros) - 1,
                     magnitudes.end());
    threshold = magnitudes[zeros - 1];
    const auto below =
        std::count_if(magnitudes.begin(), magnitudes.end(), [&](float m) { return m < threshold; });
    const auto equal = std::count(magnitudes.begin(), magnitudes.end(), threshold);
    equals_kept = static_cast<std::size_t>(below + equal) - zeros;
  }
  StateDict masks;
  for (const auto& name : names) {
    const auto& weight = model.weights.find(name)->second;
    Tensor mask(DType::float32, weight.shape());
    const auto from = weight.as<float>();
    const auto to = mask.as<float>();
    for (std::size_t i = 0; i < to.size(); ++i) {
      const auto magnitude = std::abs(from[i]);
      const bool at_threshold = zeros > 0 && magnitude == threshold;
      const bool keep = zeros == 0 || magnitude > threshold || (at_threshold && equals_kept > 0);
      if (at_threshold && keep) --equals_kept;
      to[i] = keep ? 1.0f : 0.0f;
    }
    masks[name] = std::move(mask);
  }
  return masks;
}

void apply_masks(StateDict& weights, const StateDict& masks) {
  for (const auto& [name, mask] : masks) {
    const auto to = weights.find(name)->second.as<float>();
    const auto factor = mask.as<float>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] *= factor[i];
  }
}

}  // namespace compress
