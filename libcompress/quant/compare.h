// How far the 8-bit network is from the float32 network, layer by layer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// One value that both networks have, over all inputs.
struct LayerDifference {
  std::string value;         ///< its name in the folded network ("relu3" where a relu joined a conv)
  double sqnr_db = 0;        ///< 10 log10 of signal power over error power; 200 where there is no error
  double cosine = 1;         ///< of the two as vectors; 1 where both are zero
  double max_abs_error = 0;  ///< in the value's own units
  double step = 0;           ///< the value's scale, for judging max_abs_error
  int bits = 8;              ///< of its integers
};

/// Below this a layer's error is a tenth of its signal's power. A uniform 8-bit quantizer loses about 1 bit
/// in 6 dB: healthy layers lie between 20 and 40 dB, a wrong scale or zero point falls below 10 dB at once.
constexpr double kPartingSqnrDb = 10;

struct NetworkDifference {
  std::vector<LayerDifference> layers;       ///< in order of execution, the input first
  std::optional<std::size_t> first_parting;  ///< position of the first layer below kPartingSqnrDb
  std::int64_t inputs = 0;
  std::int64_t same_class = 0;  ///< inputs whose first output has its largest element at the same place
};

/// Runs both on `inputs` ([count, input shape without its batch...], float32, PyTorch's order). `model` may
/// be folded or not; it is folded. Values that one side does not have (a conv that a relu joined) are left
/// out. Error of kind input if the networks' inputs or outputs differ in size.
NetworkDifference compare(const Model& model, const QuantizedGraph& graph, std::span<const float> inputs,
                          std::int64_t count);

/// 10 log10(signal / error) of two powers, held within -200 and 200; 200 where there is no error.
inline double sqnr_db(double signal, double error) {
  constexpr double kNoErrorDb = 200;
  return error == 0 ? kNoErrorDb : std::clamp(10 * std::log10(signal / error), -kNoErrorDb, kNoErrorDb);
}

/// A table for people.
std::string to_text(const NetworkDifference& difference);

}  // namespace compress
