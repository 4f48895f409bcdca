#include "libcompress/pipeline/model_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "libcompress/base/error.h"
#include "libcompress/export/onnx_writer.h"
#include "libcompress/import/safetensors.h"

namespace compress {
namespace {

Model small_model() {
  Model model;
  model.name = "small";
  auto& graph = model.graph;
  const auto input = graph.add_input("input", {1, 2, 4, 4});
  const auto weight = graph.add_parameter("conv.weight", {3, 2, 1, 1});
  graph.set_outputs({graph.add_node("conv", "conv", {input, weight})});
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  model.weights["conv.weight"] = Tensor::of({3, 2, 1, 1}, values);
  model.metadata["origin"] = "a test";
  return model;
}

std::filesystem::path temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "model-XXXXXX.safetensors").string();
  const int descriptor = mkstemps(name.data(), 12);
  EXPECT_GE(descriptor, 0);
  return name;
}

TEST(ModelFile, gives_back_graph_weights_name_and_metadata) {
  const auto path = temporary_file();
  const Model model = small_model();
  save_model(path, model);
  const Model loaded = load_model(path, nullptr);
  EXPECT_EQ(graph_to_json(loaded.graph), graph_to_json(model.graph));
  EXPECT_EQ(loaded.name, "small");
  EXPECT_EQ(loaded.metadata, model.metadata);
  const auto& weight = loaded.weights.at("conv.weight");
  EXPECT_TRUE(std::ranges::equal(weight.as<float>(), model.weights.at("conv.weight").as<float>()));
  std::filesystem::remove(path);
}

TEST(ModelFile, tells_onnx_by_its_content_and_keeps_the_metadata) {
  const auto path = temporary_file();  // an ending that lies
  write_onnx(path, small_model());
  const Model loaded = load_model(path, nullptr);
  EXPECT_EQ(loaded.name, "small");
  EXPECT_EQ(loaded.metadata.at("origin"), "a test");
  EXPECT_EQ(loaded.graph.nodes().size(), 1u);
  EXPECT_EQ(loaded.weights.at("conv.weight").shape(), (Shape{3, 2, 1, 1}));
  std::filesystem::remove(path);
}

TEST(ModelFile, writes_what_the_ending_says) {
  const auto path = temporary_file();
  write_model(path, small_model());
  EXPECT_EQ(read_safetensors(path).metadata.at("libcompress.name"), "small");
  EXPECT_THROW(write_model("model.pt", small_model()), Error);
  EXPECT_THROW(write_model("model", small_model()), Error);
  std::filesystem::remove(path);
}

TEST(ModelFile, writes_weights_without_the_graph) {
  const auto path = temporary_file();
  save_weights(path, small_model());
  const auto file = read_safetensors(path);
  EXPECT_TRUE(file.tensors.contains("conv.weight"));
  EXPECT_FALSE(file.metadata.contains("libcompress.graph"));
  std::filesystem::remove(path);
}

TEST(ModelFile, lists_nothing_of_a_file_that_is_no_foreign_one) {
  const auto path = temporary_file();
  save_model(path, small_model());
  EXPECT_TRUE(list_foreign(path).empty());
  write_onnx(path, small_model());
  EXPECT_EQ(list_foreign(path).size(), 1u);
  std::filesystem::remove(path);
}

TEST(ModelFile, needs_a_model_plugin_for_weights_without_a_graph) {
  const auto path = temporary_file();
  write_safetensors(path, small_model().weights);
  EXPECT_THROW(load_model(path, nullptr), Error);
  std::filesystem::remove(path);
}

TEST(ModelFile, refuses_weights_that_do_not_fit_their_graph) {
  const auto path = temporary_file();
  Model model = small_model();
  model.weights["conv.weight"] = Tensor(DType::float32, {3, 2, 1, 2});
  save_model(path, model);
  EXPECT_THROW(load_model(path, nullptr), Error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace compress
