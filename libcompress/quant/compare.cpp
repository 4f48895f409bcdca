#include "libcompress/quant/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "libcompress/base/error.h"
#include "libcompress/quant/fold.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/reference.h"
#include "libcompress/runtime/executor.h"

namespace compress {
namespace {

/// Sums over elements and inputs.
struct Sums {
  double signal = 0, error = 0, product = 0, other = 0, largest_error = 0;

  void add(std::span<const float> reference, std::span<const float> approximation) {
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double x = reference[i];
      const double y = approximation[i];
      signal += x * x;
      other += y * y;
      product += x * y;
      error += (x - y) * (x - y);
      largest_error = std::max(largest_error, std::abs(x - y));
    }
  }

  LayerDifference finish(const QValue& value) const {
    LayerDifference layer;
    layer.value = value.name;
    layer.sqnr_db = compress::sqnr_db(signal, error);
    const double norms = std::sqrt(signal * other);
    layer.cosine = norms > 0 ? product / norms : (signal == other ? 1 : 0);
    layer.max_abs_error = largest_error;
    layer.step = value.scale;
    layer.bits = static_cast<int>(8 * size_of(value.dtype));
    return layer;
  }
};

std::ptrdiff_t largest_of(std::span<const float> values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

[[noreturn]] void refuse(const std::string& name, std::size_t size, std::size_t other) {
  throw Error(ErrorKind::input,
              {fmt::format("value '{}'", name), fmt::format("{} elements in 8 bits", other),
               fmt::format("{} as in float32", size), "compare a network with its own quantization"});
}

class Comparison {
 public:
  Comparison(const Model& model, const QuantizedGraph& graph)
      : folded_(fold(model)), floats_(folded_), integers_(graph), graph_(integers_.graph()) {
    for (const auto& value : graph_.values) {
      const auto id = folded_.graph.find_value(value.name);
      if (value.constant.empty() && id) pairs_[*id] = value.id;
    }
  }

  void add(std::span<const float> input) {
    std::map<QValueId, std::vector<float>> reference;
    std::map<ValueId, QValueId>& pairs = pairs_;
    const auto output =
        floats_.run_observed(input, 1, [&](ValueId id, std::span<const float> values, const Shape&) {
          const auto pair = pairs.find(id);
          if (pair != pairs.end()) reference[pair->second] = {values.begin(), values.end()};
        });
    integers_.run_observed(quantize_input(graph_, input), [&](QValueId id, const Tensor& data) {
      if (id == graph_.outputs[0]) count_class(output, dequantize(graph_.value(id), data));
      const auto found = reference.find(id);
      if (found == reference.end()) return;
      const auto& value = graph_.value(id);
      const auto count = static_cast<std::size_t>(data.count());
      if (found->second.size() != count) refuse(value.name, found->second.size(), count);
      if (!sums_.contains(id)) order_.push_back(id);
      sums_[id].add(found->second, dequantize(value, data));
    });
    ++result_.inputs;
  }

  NetworkDifference finish() {
    for (const auto id : order_) {
      result_.layers.push_back(sums_.at(id).finish(graph_.value(id)));
      if (!result_.first_parting && result_.layers.back().sqnr_db < kPartingSqnrDb)
        result_.first_parting = result_.layers.size() - 1;
    }
    return std::move(result_);
  }

  std::int64_t input_size() const { return floats_.input_size(); }

 private:
  void count_class(std::span<const float> ours, std::span<const float> theirs) {
    if (ours.size() != theirs.size()) refuse("output", ours.size(), theirs.size());
    result_.same_class += largest_of(ours) == largest_of(theirs) ? 1 : 0;
  }

  Model folded_;
  Executor floats_;
  ReferenceExecutor integers_;
  const QuantizedGraph& graph_;
  std::map<ValueId, QValueId> pairs_;
  std::map<QValueId, Sums> sums_;
  std::vector<QValueId> order_;
  NetworkDifference result_;
};

}  // namespace

NetworkDifference compare(const Model& model, const QuantizedGraph& graph, std::span<const float> inputs,
                          std::int64_t count) {
  Comparison comparison(model, graph);
  const auto size = static_cast<std::size_t>(comparison.input_size());
  if (count < 1 || inputs.size() != size * static_cast<std::size_t>(count))
    throw Error(ErrorKind::usage, {"compare", fmt::format("{} numbers for {} inputs", inputs.size(), count),
                                   fmt::format("{} each, one input or more", size), ""});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    comparison.add(inputs.subspan(i * size, size));
  return comparison.finish();
}

std::string to_text(const NetworkDifference& difference) {
  std::string text = fmt::format("{:<28} {:>4} {:>8} {:>9} {:>12} {:>12}\n", "value", "bits", "SQNR dB",
                                 "cosine", "largest err", "step");
  for (const auto& layer : difference.layers)
    text += fmt::format("{:<28} {:>4} {:>8.1f} {:>9.6f} {:>12.5g} {:>12.5g}\n", layer.value, layer.bits,
                        layer.sqnr_db, layer.cosine, layer.max_abs_error, layer.step);
  return text + fmt::format("same class on {} of {} inputs\n", difference.same_class, difference.inputs);
}

}  // namespace compress
