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

std::vector<std::int64_t> LayerWriter::byte_strides() const {
  const auto& from = value(0).shape;
  std::vector<std::int64_t> strides(from.size(), element_bytes());
  for (std::size_t axis = from.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * from[axis];
  return strides;
}

/// Axes of one element dropped and axes that stay neighbors merged, so that four loops are enough. The bytes
/// of an element are an axis too.
std::string LayerWriter::strided(const std::vector<std::int64_t>& strides, std::int64_t offset) {
  std::vector<std::int64_t> extents_out, strides_out;
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
  for (std::size_t axis = 0; axis < strides.size(); ++axis) walk(output().shape[axis], strides[axis]);
  walk(element_bytes(), 1);
  if (extents_out.size() > 4)
    refuse(fmt::format("a move over {} independent axes", extents_out.size()), "at most 4");
  network_.kernels.insert("transpose");
  const auto from = offset == 0 ? std::string("input") : fmt::format("input + {}", offset);
  return settings(prefixed("transpose_layer"),
                  {{"extents", braces(extents_out, 1)}, {"strides", braces(strides_out, 0)}}) +
         fmt::format("  {}(&layer, {}, output);\n", prefixed("transpose"), from);
}

std::string LayerWriter::lower(const QTranspose& transpose) {
  title_ = fmt::format("axes reordered to ({})", fmt::join(transpose.order, ", "));
  if (moves_nothing(graph_, *node_)) return copy();
  const auto from = byte_strides();
  std::vector<std::int64_t> strides;
  for (const auto axis : transpose.order) strides.push_back(from[static_cast<std::size_t>(axis)]);
  return strided(strides, 0);
}

std::string LayerWriter::lower(const QSlice& slice) {
  title_ =
      fmt::format("elements from ({}) on by ({})", fmt::join(slice.begin, ", "), fmt::join(slice.step, ", "));
  auto strides = byte_strides();
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    offset += slice.begin[axis] * strides[axis];
    strides[axis] *= slice.step[axis];
  }
  return strided(strides, offset);
}

std::string LayerWriter::lower(const QResize& resize) {
  network_.kernels.insert("resize");
  const auto &from = value(0).shape, &to = output().shape;
  title_ = fmt::format("nearest elements, {}x{} to {}x{}", from[1], from[2], to[1], to[2]);
  const auto pixel = element_bytes() * from[3];
  const auto offsets = [&](const char* kind, std::size_t axis, std::int64_t stride) {
    CConstant list{};
    for (const auto source : sources_of(resize, from[axis], to[axis]))
      list.words.push_back(static_cast<std::int32_t>(source * stride));
    return constant(std::move(list), kind, fmt::format("[{}], offsets in bytes", to[axis]));
  };
  auto fields = number_fields({{"height", to[1]}, {"width", to[2]}, {"pixel_bytes", pixel}});
  fields.emplace_back("rows", offsets("rows", 1, pixel * from[2]));
  fields.emplace_back("columns", offsets("columns", 2, pixel));
  return settings(prefixed("resize_layer"), fields) + call("resize");
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
