#include "libcompress/export/onnx/lowering.h"

namespace compress::onnx_export {
namespace {

/// [input, scale, bias] with ones and zeros for what the node lacks: ONNX does not let them be left out.
std::vector<std::string> scaled_inputs(Lowering& at, const Shape& shape) {
  return {at.input(0), at.input_count() > 1 ? at.input(1) : at.filled("scale", shape, 1),
          at.input_count() > 2 ? at.input(2) : at.filled("bias", shape, 0)};
}

/// Both have a momentum; ONNX' is the weight of the old statistics.
void lower_batch_norm(Lowering& at) {
  at.finish(
      "BatchNormalization", at.inputs(),
      {{"epsilon", at.attributes().number("epsilon")}, {"momentum", 1 - at.attributes().number("momentum")}});
}

void lower_layer_norm(Lowering& at) {
  const auto axis = at.attributes().integer("axis");
  const auto& shape = at.input_shape(0);
  at.finish("LayerNormalization", scaled_inputs(at, Shape(shape.begin() + axis, shape.end())),
            {{"axis", axis}, {"epsilon", at.attributes().number("epsilon")}});
}

void lower_group_norm(Lowering& at) {
  at.finish(
      "GroupNormalization", scaled_inputs(at, {at.input_shape(0)[1]}),
      {{"epsilon", at.attributes().number("epsilon")}, {"num_groups", at.attributes().integer("groups")}});
}

void lower_instance_norm(Lowering& at) {
  at.finish("InstanceNormalization", scaled_inputs(at, {at.input_shape(0)[1]}),
            {{"epsilon", at.attributes().number("epsilon")}});
}

}  // namespace

std::vector<LoweringRow> norm_lowerings() {
  return {{"batch_norm", lower_batch_norm},
          {"layer_norm", lower_layer_norm},
          {"group_norm", lower_group_norm},
          {"instance_norm", lower_instance_norm}};
}

}  // namespace compress::onnx_export
