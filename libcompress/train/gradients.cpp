#include "libcompress/train/gradients.h"

#include "libcompress/runtime/network.h"
#include "libcompress/train/background.h"
#include "libcompress/train/batches.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/loss.h"
#include "libcompress/train/tapped.h"

namespace compress {
namespace {

class LossGradients final : public GradientSource {
 public:
  LossGradients(const Model& model, const DataSet& data, const GradientOptions& options)
      : model_(model),
        scores_(find_class_scores(model.graph)),
        batches_(data, options.batch_size, options.seed),
        options_(options) {}

  void for_each_batch(const std::function<void(const StateDict& gradients)>& use) override {
    const Network network(model_, WeightUse::copied);
    each_batch([&](const Batch& batch) {
      loss_of(network, scores_, batch, {}).mean.backward();
      use(take_gradients(network));
    });
  }

  void for_each_tapped_batch(std::span<const Tap> taps,
                             const std::function<void(std::span<const Tensor> changes)>& use) override {
    const Network network(model_, WeightUse::shared);  // weights then ask for no gradients
    const auto axes = example_axes(network, taps, scores_.logits);
    each_batch([&](const Batch& batch) {
      TapReadings readings(taps, axes, batch.count);
      const auto loss = loss_of(network, scores_, batch, readings.pass(network.graph())).mean;
      if (loss.requires_grad()) loss.backward();
      use(readings.take(network.graph()));
    });
  }

 private:
  void each_batch(const std::function<void(const Batch& batch)>& use) {
    auto& reporter = options_.reporter != nullptr ? *options_.reporter : silent_reporter();
    Background<Batch> batches(0, options_.batches, 2, [this](std::int64_t i) {
      return batches_.make(i / batches_.count(), i % batches_.count());
    });
    std::int64_t done = 0;
    while (const auto batch = batches.next()) {
      use(*batch);
      reporter.progress("gradients", ++done, options_.batches, "");
      stop_if_requested(reporter);
    }
  }

  static StateDict take_gradients(const Network& network) {
    StateDict gradients;
    for (const auto id : network.trained()) {
      auto& gradient = network.weight(id).mutable_grad();
      const auto& value = network.graph().value(id);
      gradients[value.name] = gradient.defined() ? from_torch(gradient) : Tensor(DType::float32, value.shape);
      gradient.reset();
    }
    return gradients;
  }

  Model model_;  ///< its weights are the caller's own
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
