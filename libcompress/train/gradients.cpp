#include "libcompress/train/gradients.h"

#include "libcompress/runtime/network.h"
#include "libcompress/train/background.h"
#include "libcompress/train/batches.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/loss.h"

namespace compress {
namespace {

class LossGradients final : public GradientSource {
 public:
  LossGradients(const Model& model, const DataSet& data, const GradientOptions& options)
      : network_(model, WeightUse::copied),
        scores_(find_class_scores(model.graph)),
        batches_(data, options.batch_size, options.seed),
        options_(options) {}

  void for_each_batch(const std::function<void(const StateDict& gradients)>& use) override {
    auto& reporter = options_.reporter != nullptr ? *options_.reporter : silent_reporter();
    Background<Batch> batches(0, options_.batches, 2, [this](std::int64_t i) {
      return batches_.make(i / batches_.count(), i % batches_.count());
    });
    std::int64_t done = 0;
    while (const auto batch = batches.next()) {
      loss_of(network_, scores_, *batch, {}).mean.backward();
      use(take_gradients());
      reporter.progress("gradients", ++done, options_.batches, "");
      stop_if_requested(reporter);
    }
  }

 private:
  StateDict take_gradients() {
    StateDict gradients;
    for (const auto id : network_.trained()) {
      auto& gradient = network_.weight(id).mutable_grad();
      const auto& value = network_.graph().value(id);
      gradients[value.name] = gradient.defined() ? from_torch(gradient) : Tensor(DType::float32, value.shape);
      gradient.reset();
    }
    return gradients;
  }

  Network network_;
  ClassScores scores_;
  TrainingBatches batches_;
  GradientOptions options_;
};

}  // namespace

std::unique_ptr<GradientSource> make_gradient_source(const Model& model, const DataSet& data,
                                                     const GradientOptions& options) {
  check_fit(model.graph, data);
  return std::make_unique<LossGradients>(model, data, options);
}

}  // namespace compress
