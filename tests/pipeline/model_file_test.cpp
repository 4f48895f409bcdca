#include "libcompress/pipeline/model_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "libcompress/base/error.h"
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
