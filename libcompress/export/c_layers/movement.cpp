// What moves bytes and computes nothing.
#include <fmt/format.h>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {

std::string LayerWriter::lower(const QConcat& concat) {
  network_.kernels.insert("concat");
  title_ = fmt::format("concatenation along axis {}", concat.axis);
  const auto& shape = output().shape;
  const auto axis = static_cast<std::size_t>(concat.axis);
  const auto blocks = element_count({shape.begin(), shape.begin() + concat.axis});
  const auto stride = element_bytes() * element_count(shape) / blocks;
  std::string body;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
    const auto block = stride / shape[axis] * value(i).shape[axis];
    body += fmt::format("  {}({}, {}, {}, input{}, output + {});\n", prefixed("copy_blocks"), blocks, block,
                        stride, i ? std::to_string(i) : "", offset);
    offset += block;
  }
  return body;
}

/// Axes of one element dropped and axes that stay neighbors merged, so that four loops are enough. The bytes
/// of an element are an axis too.
std::string LayerWriter::lower(const QTranspose& transpose) {
  const auto& from = value(0).shape;
  std::vector<std::int64_t> strides(from.size(), element_bytes()), extents_out, strides_out;
  for (std::size_t axis = from.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * from[axis];
  const auto walk = [&](std::int64_t extent, std::int64_t stride) {
    if (extent == 1) return;
    if (!extents_out.empty() && strides_out.back() == stride * extent) {
      extents_out.back() *= extent;
      strides_out.back() = stride;
    } else {
      extents_out.push_back(extent);
      strides_out.push_back(stride);
    }
  };
  for (const auto axis : transpose.order)
    walk(from[static_cast<std::size_t>(axis)], strides[static_cast<std::size_t>(axis)]);
  walk(element_bytes(), 1);
  title_ = fmt::format("axes reordered to ({})", fmt::join(transpose.order, ", "));
  if (moves_nothing(graph_, *node_)) return copy();
  if (extents_out.size() > 4)
    refuse(fmt::format("a transpose of {} independent axes", extents_out.size()), "at most 4");
  network_.kernels.insert("transpose");
  extents_out.insert(extents_out.begin(), 4 - extents_out.size(), 1);
  strides_out.insert(strides_out.begin(), 4 - strides_out.size(), 0);
  return settings(prefixed("transpose_layer"),
                  {{"extents", fmt::format("{{{}}}", fmt::join(extents_out, ", "))},
                   {"strides", fmt::format("{{{}}}", fmt::join(strides_out, ", "))}}) +
         call("transpose");
}

std::string LayerWriter::lower(const QReshape&) {
  title_ = "reshape";
  return copy();
}

std::string LayerWriter::copy() const {
  return fmt::format("  memcpy(output, input, {});\n", element_bytes() * element_count(output().shape));
}

LayerWriter::Fields LayerWriter::pad_fields(const QPad& pad) {
  const auto &from = value(0).shape, &to = output().shape;
  title_ =
      fmt::format("padding by {} before and {} behind", fmt::join(pad.begin, ", "), fmt::join(pad.end, ", "));
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < to.size(); ++axis) offset = offset * to[axis] + pad.begin[axis];
  Fields fields = {{"extents", braces(from, 1)}, {"output_extents", braces(to, 1)}};
  append(fields, number_fields({{"offset", offset}, {"level", pad.level}}));
  return fields;
}

std::string LayerWriter::lower(const QPad& pad) {
  network_.kernels.insert("pad");
  const auto fields = pad_fields(pad);
  return settings(prefixed("pad_layer"), fields) + call("pad");
}

}  // namespace compress
