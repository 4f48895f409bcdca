#include <algorithm>
#include <memory>

#include "libcompress/quant/observer.h"

namespace compress {
namespace {

/// The extremes of each batch, averaged over the batches with weights that fall towards the earlier ones
/// (Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
/// Inference, CVPR 2018, section 3.1).
class MovingAverage final : public Observer {
 public:
  explicit MovingAverage(double momentum) : momentum_(momentum) {}

  std::unique_ptr<Observer> fresh() const override { return std::make_unique<MovingAverage>(momentum_); }

  void observe(std::span<const float> values) override {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double kept = batches_++ == 0 ? 0 : momentum_;
    low_ = kept * low_ + (1 - kept) * *low;
    high_ = kept * high_ + (1 - kept) * *high;
  }

  Range range() const override { return {static_cast<float>(low_), static_cast<float>(high_)}; }

 private:
  double momentum_;
  double low_ = 0, high_ = 0;
  std::int64_t batches_ = 0;
};

}  // namespace

void register_moving_average(Catalog<Observer>& catalog) {
  OptionSpec momentum{"momentum", OptionType::number, "what the average keeps when a batch is added"};
  momentum.fallback = 0.9;
  momentum.minimum = 0;
  momentum.maximum = 0.9999;
  catalog.add(
      "moving_average", "a moving average of the extremes of each batch", {momentum},
      [](const Options& options) { return std::make_unique<MovingAverage>(options.number("momentum")); });
}

}  // namespace compress
