// How well a network classifies a part of a data set, whatever executes it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/data/dataset.h"
#include "libcompress/graph/graph.h"

namespace compress {

struct EvaluateOptions {
  std::int64_t batch_views =
      20;  ///< views in one forward pass, at least those of one clip; more leave the cache
  Reporter* reporter = nullptr;  ///< progress by clips; asked to stop after each pass. nullptr: silent
  std::string activity = "evaluate";
};

struct Evaluation {
  std::int64_t correct = 0;
  std::int64_t total = 0;
  double loss = 0;                      ///< mean cross-entropy of the averaged probabilities, in nats
  std::vector<std::int64_t> labels;     ///< of each clip
  std::vector<std::int64_t> predicted;  ///< arg max of the clip's averaged probabilities
  std::vector<std::vector<std::int64_t>>
      confusion;  ///< [label][predicted], as many rows as the network has outputs

  double accuracy() const {
    return total == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(total);
  }
};

/// Error of kind input unless the network takes the data's input and gives one score for each of its targets.
void check_fit(const Graph& graph, const DataSet& data);

/// The network in float32 with running statistics. A network that ends in a softmax gives probabilities; the
/// scores of any other are taken as logits. Error of kind input if the part is empty or the network does not
/// fit the data.
Evaluation evaluate(const Model& model, const DataSet& data, Part part, const EvaluateOptions& options = {});

/// Scores of `count` views: [count, input shape...] -> [count, outputs].
using Predict = std::function<std::vector<float>(std::span<const float> views, std::int64_t count)>;

/// The same for any executor of `graph`: `scores` are what its first output holds, probabilities or logits.
Evaluation evaluate_scores(const Graph& graph, const Predict& scores, const DataSet& data, Part part,
                           const EvaluateOptions& options = {});

/// The same where `scores` are `outputs` probabilities of each view, or logits.
Evaluation evaluate_scores(bool probabilities, const Predict& scores, std::int64_t outputs,
                           const DataSet& data, Part part, const EvaluateOptions& options = {});

/// The same of probabilities, called from this thread with all views of one or more clips.
Evaluation evaluate_with(const Predict& predict, std::int64_t outputs, const DataSet& data, Part part,
                         const EvaluateOptions& options = {});

}  // namespace compress
