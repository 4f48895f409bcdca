#include "libcompress/train/rounded.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

namespace compress {

Grids grids_now(const Network& network, const Grids& grids) {
  Grids now = grids;
  for (auto& [id, grid] : now) {
    if (network.graph().value(id).kind == ValueKind::parameter)
      grid = weight_grid(network.weight(id), grid.scales.size() == 1);
  }
  return now;
}

Evaluation evaluate_rounded(const Model& model, const Grids& grids, const DataSet& data, Part part,
                            const EvaluateOptions& options) {
  check_fit(model.graph, data);
  const Network network(model, WeightUse::shared);
  const auto now = grids_now(network, grids);
  const auto pass = pass_on(now);
  const auto output = model.graph.outputs().front();
  auto shape = model.graph.value(model.graph.inputs().front()).shape;
  const Predict scores = [&](std::span<const float> views, std::int64_t count) {
    const c10::NoGradGuard without_gradients;
    shape[0] = count;
    auto found = network.forward(at::from_blob(const_cast<float*>(views.data()), shape, at::kFloat), pass);
    const auto grid = now.find(output);  // nobody reads it
    if (grid != now.end()) found = on_grid(found, grid->second);
    const auto dense = found.contiguous();
    return std::vector<float>(dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel());
  };
  return evaluate_scores(model.graph, scores, data, part, options);
}

}  // namespace compress
