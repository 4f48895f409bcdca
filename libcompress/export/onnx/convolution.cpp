#include "libcompress/export/onnx/lowering.h"

namespace compress::onnx_export {
namespace {

/// The attributes that Conv and ConvTranspose share.
AttributeList window_attributes(const Lowering& at) {
  const auto& weight = at.input_shape(1);
  const auto& attributes = at.attributes();
  const auto spatial = weight.size() - 2;
  return {{"dilations", along_all(attributes.integers("dilation"), spatial, 1)},
          {"group", attributes.integer("groups")},
          {"kernel_shape", Integers(weight.begin() + 2, weight.end())},
          {"pads", along_all(attributes.integers("padding"), 2 * spatial, 0)},
          {"strides", along_all(attributes.integers("stride"), spatial, 1)}};
}

void lower_conv(Lowering& at) { at.finish("Conv", at.inputs(), window_attributes(at)); }

void lower_conv_transpose(Lowering& at) {
  auto attributes = window_attributes(at);
  const auto spatial = at.input_shape(1).size() - 2;
  attributes.emplace_back("output_padding",
                          along_all(at.attributes().integers("output_padding"), spatial, 0));
  at.finish("ConvTranspose", at.inputs(), attributes);
}

/// Gemm takes two axes only; of more the weight is turned by a node, so that it keeps its name and layout.
void lower_linear(Lowering& at) {
  if (at.input_shape(0).size() == 2) return at.finish("Gemm", at.inputs(), {{"transB", std::int64_t{1}}});
  const Integers order = {1, 0};
  const auto turned =
      at.add("Transpose", "turned", permuted(at.input_info(1), order), {at.input(1)}, {{"perm", order}});
  if (at.input_count() == 2) return at.finish("MatMul", {at.input(0), turned});
  at.finish("Add", {at.add("MatMul", "product", at.output_info(), {at.input(0), turned}), at.input(2)});
}

void lower_matmul(Lowering& at) { at.finish("MatMul", at.inputs()); }

}  // namespace

std::vector<LoweringRow> convolution_lowerings() {
  return {{"conv", lower_conv},
          {"conv_transpose", lower_conv_transpose},
          {"linear", lower_linear},
          {"matmul", lower_matmul}};
}

}  // namespace compress::onnx_export
