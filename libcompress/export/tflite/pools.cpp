// Pools and means.
#include "libcompress/export/tflite/writer.h"

namespace compress {

void TfliteWriter::write_pool(const char* name, const Window& window, Clamp clamp, Padded from) {
  if (window.dilation[0] != 1 || window.dilation[1] != 1) refuse("a dilated pool", "a dilation of 1");
  add_clamped(name, version(2, 3), {from.from}, clamp, Settings::pool, [&](std::int8_t activation) {
    set_window(from.padding, window);
    set(3, window.kernel[1]);
    set(4, window.kernel[0]);
    set(5, activation);
  });
}

void TfliteWriter::write(const QMaxPool& pool) {
  write_pool("MAX_POOL_2D", pool.window, {pool.clamp_min, pool.clamp_max},
             padded(pool.window, levels_of(input(0).dtype).lowest));
}

void TfliteWriter::write(const QAvgPool& pool) {
  if (!is_unpadded(pool.window) && !is_same_padding(pool.window, input(0).shape))
    refuse("an average over another padding", "SAME or VALID");
  write_pool("AVERAGE_POOL_2D", pool.window, {pool.clamp_min, pool.clamp_max}, padded(pool.window, 0));
}

void TfliteWriter::write(const QMean& mean) {
  std::vector<std::int32_t> axes;
  for (auto axis = mean.first_axis; axis <= mean.last_axis; ++axis) axes.push_back(axis);
  const auto list = integers(".axes", axes, {static_cast<std::int64_t>(axes.size())});
  const bool keeps = output().shape.size() == input(0).shape.size();
  add_operator("MEAN", 2, {tensor(node_->inputs[0]), list}, tensor(node_->output), Settings::reducer,
               [&] { set(0, static_cast<std::uint8_t>(keeps)); });
}

}  // namespace compress
