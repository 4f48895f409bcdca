#include "libcompress/import/onnx.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <limits>

#include "bytes_maker.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "onnx_maker.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace testing;

Model read(const OnnxFile& file, const OnnxOptions& options = {}) {
  return parse_onnx(bytes_of(file.bytes()), "m.onnx", "/nowhere", options);
}

std::string refusal(const OnnxFile& file, const OnnxOptions& options = {}) {
  const auto error = error_of([&] { read(file, options); });
  EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
  return error.what();
}

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const auto& node : graph.nodes()) ops.push_back(node.op);
  return ops;
}

std::vector<float> weights_of(const Model& model, const std::string& name) {
  const auto values = model.weights.at(name).as<float>();
  return {values.begin(), values.end()};
}

/// One node from "x" to "y".
OnnxFile single(const std::string& op, const std::vector<Message>& attributes,
                const std::vector<std::int64_t>& shape, const std::vector<Message>& initializers = {},
                const std::vector<std::string>& more_inputs = {}) {
  std::vector<std::string> inputs{"x"};
  inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
  return {{node(op, inputs, {"y"}, attributes, "it")}, initializers, {value("x", shape)}, {value("y", {})}};
}

const Node& only_node(const Model& model) { return model.graph.nodes().front(); }

OnnxFile small_network() {
  return {{node("Conv", {"x", "conv.weight", "conv.bias"}, {"c"},
                {attribute("pads", std::vector<std::int64_t>{1, 1, 1, 1})}, "conv"),
           node("BatchNormalization", {"c", "bn.weight", "bn.bias", "bn.mean", "bn.var"}, {"n"}, {}, "bn"),
           node("Relu", {"n"}, {"r"}), node("GlobalAveragePool", {"r"}, {"p"}), node("Flatten", {"p"}, {"f"}),
           node("Gemm", {"f", "fc.weight", "fc.bias"}, {"y"}, {attribute("transB", std::int64_t{1})}, "fc")},
          {floats("conv.weight", {2, 1, 3, 3}, std::vector<float>(18, 0.5f)),
           floats("conv.bias", {2}, {1, 2}), floats("bn.weight", {2}, {1, 1}), floats("bn.bias", {2}, {0, 0}),
           floats("bn.mean", {2}, {0, 0}), floats("bn.var", {2}, {1, 1}),
           floats("fc.weight", {3, 2}, {1, 2, 3, 4, 5, 6}), floats("fc.bias", {3}, {1, 2, 3})},
          {value("x", {-1, 1, 8, 8})},
          {value("y", {-1, 3})}};
}

TEST(Onnx, reads_a_plain_network_with_its_names) {
  const auto model = read(small_network());
  EXPECT_THAT(ops_of(model.graph),
              ElementsAre("conv", "batch_norm", "relu", "global_avg_pool", "flatten", "linear"));
  EXPECT_EQ(model.graph.nodes()[0].name, "conv");
  EXPECT_EQ(model.graph.nodes()[2].name, "r");  // without a name: that of its output
  EXPECT_EQ(model.graph.value(model.graph.inputs()[0]).shape, (Shape{1, 1, 8, 8}));
  EXPECT_EQ(model.graph.value(model.graph.outputs()[0]).shape, (Shape{1, 3}));
  EXPECT_EQ(model.graph.value(*model.graph.find_value("conv.weight")).kind, ValueKind::parameter);
  EXPECT_EQ(model.graph.value(*model.graph.find_value("bn.mean")).kind, ValueKind::buffer);
  EXPECT_EQ(weights_of(model, "fc.weight"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Onnx, transposes_the_weight_of_a_gemm_that_lies_the_other_way) {
  const auto model = read(single("Gemm", {}, {1, 2}, {floats("w", {2, 3}, {1, 2, 3, 4, 5, 6})}, {"w"}));
  EXPECT_EQ(only_node(model).op, "linear");
  EXPECT_EQ(weights_of(model, "w"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(Onnx, pads_so_that_the_output_is_as_large_as_the_input) {
  for (const auto& [mode, padding] :
       {std::pair{"SAME_UPPER", std::vector<std::int64_t>{0, 0, 1, 1}}, {"SAME_LOWER", {1, 1, 0, 0}}}) {
    const auto model = read(single("Conv", {attribute("auto_pad", std::string(mode))}, {1, 1, 5, 5},
                                   {floats("w", {1, 1, 2, 2}, {1, 1, 1, 1})}, {"w"}));
    EXPECT_EQ(only_node(model).attributes.integers("padding"), padding) << mode;
    EXPECT_EQ(model.graph.value(only_node(model).output).shape, (Shape{1, 1, 5, 5}));
  }
}

TEST(Onnx, folds_the_arithmetic_of_a_flatten_over_shapes) {
  // x.view(x.shape[0], -1) as exporters write it.
  const OnnxFile file{
      {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}),
       node("Unsqueeze", {"n", "zeros"}, {"n1"}),
       node("Concat", {"n1", "rest"}, {"to"}, {attribute("axis", std::int64_t{0})}),
       node("Reshape", {"x", "to"}, {"y"}, {}, "view")},
      {tensor("zero", 7, {}, std::string(8, '\0')), integers("zeros", {0}), integers("rest", {-1})},
      {value("x", {-1, 2, 3})},
      {value("y", {-1, 6})}};
  const auto model = read(file);
  EXPECT_THAT(ops_of(model.graph), ElementsAre("flatten"));
  EXPECT_TRUE(model.weights.empty());
}

TEST(Onnx, finds_the_axis_of_a_reshape_that_grows_with_the_batch) {
  const OnnxFile file{
      {node("Transpose", {"x"}, {"t"}, {attribute("perm", std::vector<std::int64_t>{1, 0, 2})}),
       node("Reshape", {"t", "to"}, {"y"})},
      {integers("to", {2, -1, 1, 3})},
      {value("x", {-1, 2, 3})},
      {value("y", {2, -1, 1, 3})}};
  EXPECT_EQ(read(file).graph.nodes()[1].attributes.integer("batch_axis"), 1);
}

TEST(Onnx, leaves_the_batch_of_a_reshape_where_the_file_fixes_it) {
  const OnnxFile file{{node("Reshape", {"x", "to"}, {"y"})},
                      {integers("to", {4, 3, 2})},
                      {value("x", {4, 6})},
                      {value("y", {4, 3, 2})}};
  const auto model = read(file);
  EXPECT_EQ(model.graph.value(model.graph.inputs()[0]).shape, (Shape{4, 6}));
  EXPECT_EQ(only_node(model).attributes.integer("batch_axis"), 0);
}

TEST(Onnx, refuses_constants_that_are_computed_from_an_open_batch) {
  const OnnxFile file{
      {node("Shape", {"x"}, {"s"}), node("Cast", {"s"}, {"f"}, {attribute("to", std::int64_t{1})}),
       node("Mul", {"x", "f"}, {"y"})},
      {},
      {value("x", {-1, 2})},
      {value("y", {-1, 2})}};
  EXPECT_THAT(refusal(file), HasSubstr("values that depend on the batch"));
  EXPECT_NO_THROW(read(file, {.shapes = {{"x", {1, 2}}}}));
}

/// `repeats` of the constant "c" over the open batch of "x" as exporters write it, and then `nodes`.
OnnxFile with_repeated_constant(const std::vector<std::string>& repeats, const std::vector<Message>& nodes,
                                const Message& constant) {
  OnnxFile file{{node("Shape", {"x"}, {"s"}), node("Gather", {"s", "first"}, {"n"}),
                 node("Concat", {"n", "behind"}, {"to"}, {attribute("axis", std::int64_t{0})})},
                {integers("first", {0}), integers("behind", {1}), constant},
                {value("x", {-1, 2})},
                {value("y", {-1, -1})}};
  for (const auto& name : repeats) file.nodes.push_back(node("Expand", {"c", "to"}, {name}));
  file.nodes.insert(file.nodes.end(), nodes.begin(), nodes.end());
  return file;
}

Message joined(const std::vector<std::string>& inputs, const std::string& output, std::int64_t axis = 1) {
  return node("Concat", inputs, {output}, {attribute("axis", axis)});
}

TEST(Onnx, keeps_one_constant_that_is_repeated_over_an_open_batch_twice) {
  const auto file = with_repeated_constant({"c1", "c2"}, {joined({"x", "c1"}, "j"), joined({"c2", "j"}, "y")},
                                           floats("c", {1, 2}, {3, 4}));
  const auto model = read(file);
  EXPECT_THAT(ops_of(model.graph), ElementsAre("concat", "concat"));
  ASSERT_EQ(model.weights.size(), 1u);
  EXPECT_EQ(weights_of(model, "c"), (std::vector<float>{3, 4}));
}

TEST(Onnx, keeps_one_constant_that_is_read_as_it_is_and_repeated_over_an_open_batch) {
  const auto file = with_repeated_constant({"c1"}, {node("Add", {"x", "c"}, {"a"}), joined({"a", "c1"}, "y")},
                                           floats("c", {1, 2}, {3, 4}));
  const auto model = read(file);
  EXPECT_THAT(ops_of(model.graph), ElementsAre("add", "concat"));
  EXPECT_EQ(model.weights.size(), 1u);
}

TEST(Onnx, keeps_a_number_that_is_repeated_over_an_open_batch) {
  const auto file = with_repeated_constant({"c1"}, {joined({"x", "c1"}, "y")}, floats("c", {1, 1}, {3}));
  const auto model = read(file);
  EXPECT_EQ(model.graph.value(model.graph.outputs()[0]).shape, (Shape{1, 3}));
}

TEST(Onnx, refuses_a_constant_that_is_repeated_and_joined_along_an_open_batch) {
  const auto file =
      with_repeated_constant({"c1"}, {joined({"x", "c1"}, "y", 0)}, floats("c", {1, 2}, {3, 4}));
  EXPECT_THAT(refusal(file), HasSubstr("along the batch"));
  EXPECT_NO_THROW(read(file, {.shapes = {{"x", {1, 2}}}}));
}

TEST(Onnx, asks_for_extents_that_the_file_leaves_open) {
  const auto file = single("Relu", {}, {-1, 3, -1, 8});
  EXPECT_THAT(refusal(file), HasSubstr("axis 2 has the open extent 'n'"));
  const auto model = read(file, {.shapes = {{"x", {-1, -1, 16, -1}}}});
  EXPECT_EQ(model.graph.value(model.graph.inputs()[0]).shape, (Shape{1, 3, 16, 8}));
}

TEST(Onnx, binds_inputs_to_constants) {
  Tensor shape(DType::int64, {2});
  shape.as<std::int64_t>()[0] = 3;
  shape.as<std::int64_t>()[1] = 2;
  auto file = single("Reshape", {}, {2, 3}, {}, {"to"});
  file.inputs.push_back(value("to", {2}, 7));
  EXPECT_THAT(refusal(file), HasSubstr("input 'to': elements of int64"));
  const auto model = read(file, {.constants = {{"to", shape}}});
  EXPECT_EQ(model.graph.value(model.graph.outputs()[0]).shape, (Shape{3, 2}));
}

TEST(Onnx, cuts_with_negative_steps_by_a_gather) {
  const auto model =
      read(single("Slice", {}, {1, 4},
                  {integers("b", {-1}), integers("e", {-100}), integers("a", {1}), integers("s", {-2})},
                  {"b", "e", "a", "s"}));
  EXPECT_EQ(only_node(model).op, "gather");
  EXPECT_THAT(only_node(model).attributes.integers("indices"), ElementsAre(3, 1));
}

TEST(Onnx, cuts_where_a_padding_is_negative) {
  const auto model = read(single("Pad", {}, {1, 5}, {integers("p", {0, -1, 0, 2})}, {"p"}));
  EXPECT_THAT(ops_of(model.graph), ElementsAre("slice", "pad"));
  EXPECT_EQ(model.graph.value(model.graph.outputs()[0]).shape, (Shape{1, 6}));
}

TEST(Onnx, makes_one_axis_of_many_for_the_softmax_of_old_opsets) {
  auto file = single("Softmax", {}, {2, 3, 4});
  file.opset = 11;
  EXPECT_THAT(ops_of(read(file).graph), ElementsAre("reshape", "softmax", "reshape"));
  file.opset = 13;
  EXPECT_THAT(ops_of(read(file).graph), ElementsAre("softmax"));
}

TEST(Onnx, finds_a_group_norm_in_an_instance_norm_over_rows) {
  const OnnxFile file{
      {node("Reshape", {"x", "rows"}, {"r"}), node("InstanceNormalization", {"r", "one", "zero"}, {"n"}),
       node("Shape", {"x"}, {"s"}), node("Reshape", {"n", "s"}, {"y"}, {}, "norm")},
      {integers("rows", {0, 2, -1}), floats("one", {2}, {1, 1}), floats("zero", {2}, {0, 0})},
      {value("x", {-1, 4, 3, 3})},
      {value("y", {-1, 4, 3, 3})}};
  const auto model = read(file);
  EXPECT_THAT(ops_of(model.graph), ElementsAre("group_norm"));
  EXPECT_EQ(only_node(model).attributes.integer("groups"), 2);
}

TEST(Onnx, says_what_to_do_about_quantized_operators) {
  EXPECT_THAT(refusal(single("QuantizeLinear", {}, {1})), HasSubstr("import the network of floats"));
}

TEST(Onnx, reads_several_inputs_and_outputs) {
  const OnnxFile file{{node("Add", {"x", "z"}, {"sum"}), node("Mul", {"x", "z"}, {"product"})},
                      {},
                      {value("x", {-1, 2}), value("z", {-1, 2})},
                      {value("product", {-1, 2}), value("sum", {-1, 2}), value("x", {-1, 2})}};
  const auto model = read(file);
  EXPECT_EQ(model.graph.inputs().size(), 2u);
  ASSERT_EQ(model.graph.outputs().size(), 3u);
  EXPECT_EQ(model.graph.producer(model.graph.outputs()[0])->op, "mul");
  EXPECT_EQ(model.graph.producer(model.graph.outputs()[2])->op, "identity");
}

TEST(Onnx, makes_masks_of_minus_infinity_finite) {
  // A causal mask as transformers make it: minus infinity above the diagonal.
  const OnnxFile file{{node("Expand", {"all", "shape"}, {"full"}), node("Trilu", {"full", "one"}, {"upper"}),
                       node("Add", {"x", "upper"}, {"y"})},
                      {floats("all", {}, {-std::numeric_limits<float>::infinity()}),
                       integers("shape", {2, 2}), tensor("one", 7, {}, std::string("\1\0\0\0\0\0\0\0", 8))},
                      {value("x", {1, 2, 2})},
                      {value("y", {1, 2, 2})}};
  const auto least = std::numeric_limits<float>::lowest();
  EXPECT_EQ(weights_of(read(file), "upper"), (std::vector<float>{0, least, 0, 0}));
}

TEST(Onnx, keeps_what_is_fixed_in_arithmetic_as_a_buffer) {
  const auto model = read(single("Mul", {}, {1, 3}, {floats("half", {}, {0.5f})}, {"half"}));
  EXPECT_EQ(model.graph.value(*model.graph.find_value("half")).kind, ValueKind::buffer);
  const auto scaled = read(single("Mul", {}, {1, 3}, {floats("gamma", {3}, {1, 2, 3})}, {"gamma"}));
  EXPECT_EQ(scaled.graph.value(*scaled.graph.find_value("gamma")).kind, ValueKind::parameter);
}

TEST(Onnx, widens_halves_and_narrows_doubles) {
  const std::string halves("\x00\x3c\x00\xc0", 4);  // 1, -2
  const double doubles[] = {0.5, 3};
  const std::string wide(reinterpret_cast<const char*>(doubles), 16);
  const std::string brain("\x80\x3f\x00\xc0", 4);  // 1, -2
  for (const auto& [type, bytes, first] :
       {std::tuple{10, halves, 1.0f}, {11, wide, 0.5f}, {16, brain, 1.0f}}) {
    const auto model = read(single("Add", {}, {1, 2}, {tensor("w", type, {2}, bytes)}, {"w"}));
    EXPECT_EQ(weights_of(model, "w")[0], first) << type;
  }
}

TEST(Onnx, leaves_out_what_no_output_needs) {
  auto file = small_network();
  file.nodes.push_back(node("NonZero", {"r"}, {"unused"}));
  EXPECT_EQ(read(file).graph.nodes().size(), 6u);
}

TEST(Onnx, shares_a_weight_that_two_nodes_read) {
  const OnnxFile file{
      {node("MatMul", {"x", "w"}, {"a"}, {}, "first"), node("MatMul", {"a", "w"}, {"y"}, {}, "second")},
      {floats("w", {2, 2}, {1, 2, 3, 4})},
      {value("x", {1, 2})},
      {value("y", {1, 2})}};
  const auto model = read(file);
  EXPECT_EQ(model.graph.nodes()[0].inputs[1], model.graph.nodes()[1].inputs[1]);
}

TEST(Onnx, names_the_first_node_it_cannot_read_and_counts_the_others) {
  auto file = small_network();
  file.nodes.insert(file.nodes.begin() + 2, node("NonMaxSuppression", {"n", "n"}, {"boxes"}, {}, "detect"));
  file.nodes.push_back(node("StringNormalizer", {"boxes"}, {"words"}, {}, "words"));
  file.outputs.push_back(value("words", {1}));
  const auto what = refusal(file);
  EXPECT_THAT(what,
              HasSubstr("m.onnx: node 'detect' ('NonMaxSuppression'): an operator that is not supported"));
  EXPECT_THAT(what, HasSubstr("and 1 more cannot be read"));
  EXPECT_THAT(what, HasSubstr("supported operators: Abs, Add"));
}

TEST(Onnx, lists_every_node_also_where_one_is_not_supported) {
  auto file = small_network();
  file.nodes.insert(file.nodes.begin() + 3, node("Det", {"r"}, {"d"}, {}, "det"));
  const auto folder = std::filesystem::path(::testing::TempDir()) / "onnx_list";
  write_file(folder / "m.onnx", file.bytes());
  const auto nodes = list_onnx(folder / "m.onnx");
  ASSERT_EQ(nodes.size(), 7u);
  EXPECT_EQ(nodes[0].op, "Conv");
  EXPECT_TRUE(nodes[0].supported);
  EXPECT_EQ(nodes[3].name, "det");
  EXPECT_FALSE(nodes[3].supported);
  EXPECT_THAT(nodes[3].reason, HasSubstr("not supported"));
  EXPECT_TRUE(nodes[6].supported) << nodes[6].reason;
}

TEST(Onnx, says_why_training_and_control_flow_are_refused) {
  const auto training =
      single("Dropout", {}, {1, 3}, {floats("r", {}, {0.5f}), tensor("t", 9, {}, "\x01")}, {"r", "t"});
  EXPECT_THAT(refusal(training), HasSubstr("training_mode; allowed: inference"));
  const auto branch = Message().text(1, "then_branch").message(6, Message().text(2, "sub")).number(20, 5);
  EXPECT_THAT(refusal(single("If", {branch}, {1})), HasSubstr("control flow"));
}

TEST(Onnx, reads_external_data_from_the_folder_of_the_model) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "onnx_external";
  const float values[] = {9, 1, 2, 9};
  write_file(folder / "w.bin", std::as_bytes(std::span(values)));
  auto weight = Message().number(1, 2).number(2, 1).text(8, "w").number(14, 1);
  weight.message(13, Message().text(1, "location").text(2, "w.bin"));
  weight.message(13, Message().text(1, "offset").text(2, "4"));
  weight.message(13, Message().text(1, "length").text(2, "8"));
  write_file(folder / "m.onnx", single("Add", {}, {1, 2}, {weight}, {"w"}).bytes());
  EXPECT_EQ(weights_of(read_onnx(folder / "m.onnx"), "w"), (std::vector<float>{1, 2}));
}

TEST(Onnx, is_told_from_other_files) {
  EXPECT_TRUE(is_onnx(bytes_of(small_network().bytes())));
  EXPECT_FALSE(is_onnx(bytes_of(fixture("kinds.safetensors"))));
  EXPECT_FALSE(is_onnx(bytes_of(fixture("kinds_zip.pt"))));
  EXPECT_FALSE(is_onnx(bytes_of(fixture("kinds_legacy.pt"))));
}

}  // namespace
}  // namespace compress
