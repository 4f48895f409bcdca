// Pools and means.
#include <fmt/format.h>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {

std::string LayerWriter::pool(const std::string& kernel, const std::string& noun, const Window& window,
                              std::int32_t lowest, std::int32_t highest) {
  title_ = noun + " " + describe(window) + clamp_note(lowest, highest);
  const auto fields =
      number_fields({{"channels", output().shape[3]}, {"lowest", lowest}, {"highest", highest}});
  const auto text = window_settings(prefixed(kernel + "_layer"), window, fields);
  if (!has_vectors() || form_ != CForm::whole) return text + call_windowed(kernel);
  network_.kernels.insert("mve/" + kernel);
  return text + call("vector_" + kernel);
}

std::string LayerWriter::lower(const QMaxPool& op) {
  return pool("max_pool", "max pool", op.window, op.clamp_min, op.clamp_max);
}

std::string LayerWriter::lower(const QAvgPool& op) {
  return pool("average_pool", "average pool", op.window, op.clamp_min, op.clamp_max);
}

std::string LayerWriter::lower(const QMean& mean) {
  network_.kernels.insert("mean");
  title_ = mean.first_axis == mean.last_axis
               ? fmt::format("mean over axis {}", mean.first_axis)
               : fmt::format("mean over axes {} to {}", mean.first_axis, mean.last_axis);
  const auto [outer, count, inner] = extents_of(mean, value(0).shape);
  const auto fields = number_fields({{"outer", outer},
                                     {"count", count},
                                     {"inner", inner},
                                     {"input_zero_point", value(0).zero_point},
                                     {"output_zero_point", output().zero_point},
                                     {"multiplier", mean.requantization.multiplier},
                                     {"shift", mean.requantization.shift}});
  return settings(prefixed("mean_layer"), fields) + call("mean");
}

}  // namespace compress
