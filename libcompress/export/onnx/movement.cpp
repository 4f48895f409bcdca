#include <numeric>

#include "libcompress/export/onnx/lowering.h"

namespace compress::onnx_export {
namespace {

void lower_reshape(Lowering& at) {
  const auto target = reshape_target(at.output_shape(), at.output_batch_axis());
  at.finish("Reshape", {at.input(0), at.integers("shape", target)});
}

void lower_flatten(Lowering& at) { at.finish("Flatten", at.inputs(), {{"axis", std::int64_t{1}}}); }

void lower_permute(Lowering& at) {
  at.finish("Transpose", at.inputs(), {{"perm", at.attributes().integers("order")}});
}

/// Axes that keep their extent ask for 1, which any batch goes through.
void lower_expand(Lowering& at) {
  const auto& input = at.input_shape(0);
  Integers target(at.output_shape().begin(), at.output_shape().end());
  const auto added = target.size() - input.size();
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (input[i] == target[added + i]) target[added + i] = 1;
  }
  at.finish("Expand", {at.input(0), at.integers("shape", target)});
}

/// `input` of the node, which lacks the batch, repeated as often as `like` has it.
std::string repeated(Lowering& at, std::size_t input, std::size_t like) {
  const auto axis = at.batch_axis(like);
  const auto rank = at.input_shape(input).size();
  const auto batch = at.add("Shape", "batch", {{1}, -1, DType::int64}, {at.input(like)},
                            {{"start", std::int64_t{axis}}, {"end", std::int64_t{axis + 1}}});
  std::vector<std::string> parts;
  if (axis > 0) parts.push_back(at.integers("before", Integers(static_cast<std::size_t>(axis), 1)));
  parts.push_back(batch);
  const auto behind = rank - static_cast<std::size_t>(axis) - 1;
  if (behind > 0) parts.push_back(at.integers("behind", Integers(behind, 1)));
  const ValueInfo extents{{static_cast<std::int64_t>(rank)}, -1, DType::int64};
  const auto shape = at.add("Concat", "repeats", extents, parts, {{"axis", std::int64_t{0}}});
  ValueInfo info{at.input_shape(input), axis};
  info.shape[static_cast<std::size_t>(axis)] = at.input_shape(like)[static_cast<std::size_t>(axis)];
  return at.add("Expand", "repeated", info, {at.input(input), shape});
}

void lower_concat(Lowering& at) {
  const auto axis = at.attributes().integer("axis");
  std::size_t like = 0;
  while (like < at.input_count() && at.batch_axis(like) < 0) ++like;
  const bool repeats = like < at.input_count() && at.batch_axis(like) != axis;
  auto inputs = at.inputs();
  for (std::size_t i = 0; repeats && i < inputs.size(); ++i) {
    if (at.batch_axis(i) < 0) inputs[i] = repeated(at, i, like);
  }
  at.finish("Concat", inputs, {{"axis", axis}});
}

void lower_slice(Lowering& at) {
  const auto one = [&](const char* name, std::int64_t value) { return at.integers(name, {value}); };
  const auto& attributes = at.attributes();
  at.finish("Slice",
            {at.input(0), one("begin", attributes.integer("begin")), one("end", attributes.integer("end")),
             one("axis", attributes.integer("axis")), one("step", attributes.integer("step"))});
}

void lower_gather(Lowering& at) {
  at.finish("Gather", {at.input(0), at.integers("indices", at.attributes().integers("indices"))},
            {{"axis", at.attributes().integer("axis")}});
}

void lower_pad(Lowering& at) {
  const auto& mode = at.attributes().text("mode");
  std::vector<std::string> inputs = {at.input(0), at.integers("pads", at.attributes().integers("padding"))};
  if (mode == "constant") inputs.push_back(at.scalar("fill", at.attributes().number("value")));
  at.finish("Pad", inputs, {{"mode", mode == "circular" ? "wrap" : mode}});
}

/// Reshape to `split`, which has an axis more for each that is cut in two, Transpose, Reshape to the output.
void lower_shuffle(Lowering& at, const ValueInfo& split, const Integers& order) {
  const auto parts = at.integers("parts", reshape_target(split.shape, split.batch_axis));
  const auto cut = at.add("Reshape", "split", split, {at.input(0), parts});
  const auto turned = at.add("Transpose", "turned", permuted(split, order), {cut}, {{"perm", order}});
  const auto target = reshape_target(at.output_shape(), at.output_batch_axis());
  at.finish("Reshape", {turned, at.integers("shape", target)});
}

void lower_channel_shuffle(Lowering& at) {
  const auto groups = at.attributes().integer("groups");
  Shape split = at.input_shape(0);
  split[1] /= groups;
  split.insert(split.begin() + 1, groups);
  Integers order(split.size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[1], order[2]);
  const int batch = at.batch_axis(0);
  lower_shuffle(at, {split, batch > 0 ? batch + 1 : batch}, order);
}

void lower_depth_to_space(Lowering& at) {
  const std::string mode = at.attributes().text("order") == "crd" ? "CRD" : "DCR";
  at.finish("DepthToSpace", at.inputs(), {{"blocksize", at.attributes().integer("block")}, {"mode", mode}});
}

/// ONNX has the order "dcr" alone.
void lower_space_to_depth(Lowering& at) {
  const auto block = at.attributes().integer("block");
  if (at.attributes().text("order") == "dcr")
    return at.finish("SpaceToDepth", at.inputs(), {{"blocksize", block}});
  const auto& shape = at.input_shape(0);
  const int batch = at.batch_axis(0);
  const Shape split = {shape[0], shape[1], shape[2] / block, block, shape[3] / block, block};
  lower_shuffle(at, {split, batch == 3 ? 4 : batch}, {0, 1, 3, 5, 2, 4});
}

AttributeList resize_attributes(const Lowering& at, Integers axes) {
  const auto& attributes = at.attributes();
  const auto& mode = attributes.text("mode");
  AttributeList list = {{"axes", std::move(axes)},
                        {"coordinate_transformation_mode", attributes.text("coordinates")},
                        {"mode", mode}};
  if (mode == "nearest") list.emplace_back("nearest_mode", attributes.text("rounding"));
  if (mode == "cubic") list.emplace_back("cubic_coeff_a", attributes.number("cubic_a"));
  return list;
}

/// [N, C, L] as [N, C, 1, L].
ValueInfo as_image(ValueInfo line) {
  line.shape.insert(line.shape.begin() + 2, 1);
  if (line.batch_axis >= 2) ++line.batch_axis;
  return line;
}

/// ONNX Runtime interpolates by cubes over two axes: a line is an image of one row.
void lower_cubic_line(Lowering& at) {
  const auto axis = at.integers("row", {2});
  const auto image = at.add("Unsqueeze", "image", as_image(at.input_info(0)), {at.input(0), axis});
  const auto sizes = at.integers("size", {1, at.output_shape()[2]});
  const auto resized = at.add("Resize", "resized", as_image(at.output_info()), {image, "", "", sizes},
                              resize_attributes(at, {2, 3}));
  at.finish("Squeeze", {resized, axis});
}

void lower_resize(Lowering& at) {
  if (at.attributes().text("mode") == "cubic" && at.output_shape().size() == 3) return lower_cubic_line(at);
  const auto& output = at.output_shape();
  Integers axes;
  for (std::size_t i = 2; i < output.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  const auto sizes = at.integers("size", Integers(output.begin() + 2, output.end()));
  at.finish("Resize", {at.input(0), "", "", sizes}, resize_attributes(at, axes));
}

}  // namespace

std::vector<LoweringRow> movement_lowerings() {
  return {{"reshape", lower_reshape},
          {"flatten", lower_flatten},
          {"permute", lower_permute},
          {"expand", lower_expand},
          {"concat", lower_concat},
          {"slice", lower_slice},
          {"gather", lower_gather},
          {"pad", lower_pad},
          {"channel_shuffle", lower_channel_shuffle},
          {"depth_to_space", lower_depth_to_space},
          {"space_to_depth", lower_space_to_depth},
          {"resize", lower_resize}};
}

}  // namespace compress::onnx_export
