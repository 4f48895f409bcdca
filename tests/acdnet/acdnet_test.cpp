#include "models/acdnet/acdnet.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "libcompress/import/safetensors.h"
#include "libcompress/runtime/executor.h"
#include "models/acdnet/network.h"

namespace compress {
namespace {

using acdnet::Layout;
using acdnet::Window;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

const std::filesystem::path kPublished =
    std::filesystem::path(COMPRESS_SOURCE_DIR) / "../shared/data/acdnet-published";
const std::vector<std::int64_t> kMicro = {7, 20, 10, 14, 22, 31, 35, 41, 51, 67, 69, 48};

std::unique_ptr<ModelSource> source(const std::map<std::string, OptionValue>& options = {}) {
  Catalog<ModelSource> catalog("model");
  register_acdnet(catalog);
  return catalog.make("acdnet", options);
}

Model fresh(const std::map<std::string, OptionValue>& options = {}) {
  Random random(1);
  return source(options)->fresh(random);
}

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const auto& value : graph.values()) {
    if (value.kind == ValueKind::parameter) count += element_count(value.shape);
  }
  return count;
}

/// The checkpoint that the authors' code would write for `model`.
Checkpoint published(const Model& model, const Layout& layout) {
  Checkpoint checkpoint;
  for (const auto& [ours, theirs] : acdnet::published_names(layout))
    checkpoint.tensors[theirs] = model.weights.at(ours).clone();
  checkpoint.tensors["sfeb.1.num_batches_tracked"] = Tensor(DType::int64, {});
  return checkpoint;
}

Layout micro_layout() {
  Layout layout;
  std::copy(kMicro.begin(), kMicro.end(), layout.channels.begin());
  return layout;
}

std::string complaint_about(const Checkpoint& checkpoint) {
  try {
    source()->from_checkpoint(checkpoint);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no error";
}

TEST(AcdNet, has_4735378_parameters_at_50_classes) {
  const auto graph = acdnet::network({});
  EXPECT_EQ(parameter_count(graph), 4'735'378);
  EXPECT_EQ(graph.value(graph.inputs().front()).shape, (Shape{1, 1, 1, 30225}));
  EXPECT_EQ(graph.value(graph.outputs().front()).shape, (Shape{1, 50}));
}

TEST(AcdNet, counts_the_544_42_million_flops_of_the_paper) {
  const auto graph = acdnet::network({});
  EXPECT_EQ(acdnet::paper_flops(graph), 544'422'040);
  EXPECT_THAT(source()->paper_figures(graph), testing::Contains(testing::Pair(testing::_, 544'422'040.0)));
}

TEST(AcdNet, halves_the_image_at_each_pool_and_ends_with_what_is_left) {
  EXPECT_THAT(acdnet::pool_windows({}), ElementsAre(Window{2, 2}, Window{2, 2}, Window{2, 2}, Window{2, 2},
                                                    Window{2, 2}, Window{2, 4}));
}

TEST(AcdNet, pools_follow_the_rows_that_conv2_leaves) {
  EXPECT_THAT(acdnet::pool_windows(micro_layout()), ElementsAre(Window{2, 2}, Window{2, 2}, Window{2, 2},
                                                                Window{2, 2}, Window{1, 2}, Window{1, 4}));
}

TEST(AcdNet, is_built_from_any_twelve_widths) {
  const auto model = fresh({{"channels", kMicro}});
  EXPECT_EQ(parameter_count(model.graph), 131'474);
  EXPECT_NO_THROW(verify(model));
  EXPECT_NO_THROW(fresh({{"channels", std::vector<std::int64_t>(12, 1)}, {"classes", std::int64_t{2}}}));
}

TEST(AcdNet, refuses_a_list_of_eleven_widths) {
  EXPECT_THROW(fresh({{"channels", std::vector<std::int64_t>(11, 8)}}), Error);
}

TEST(AcdNet, refuses_an_input_shorter_than_its_windows) {
  EXPECT_THROW(fresh({{"input_length", std::int64_t{1000}}, {"sample_rate", std::int64_t{192'000}}}), Error);
}

TEST(AcdNet, fresh_weights_keep_the_scale_of_activations) {
  const auto model = fresh();
  const auto weights = model.weights.at("conv9.weight").as<float>();
  const double squares = std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
  EXPECT_NEAR(squares / static_cast<double>(weights.size()), 2.0 / (256 * 9), 1e-5);
  EXPECT_THAT(model.weights.at("bn3.running_var").as<float>(), Each(1.0F));
  EXPECT_THAT(model.weights.at("bn3.bias").as<float>(), Each(0.0F));
}

TEST(AcdNet, gives_probabilities) {
  const auto model = fresh({{"channels", kMicro}, {"classes", std::int64_t{10}}});
  const auto output = run(model, std::vector<float>(30225, 0.1F), 1);
  EXPECT_EQ(output.size(), 10U);
  EXPECT_NEAR(std::accumulate(output.begin(), output.end(), 0.0), 1.0, 1e-5);
}

TEST(AcdNet, survives_a_trip_through_the_published_names) {
  const auto model = fresh({{"channels", kMicro}});
  const auto again = source()->from_checkpoint(published(model, micro_layout()));
  EXPECT_EQ(fingerprint(again.graph), fingerprint(model.graph));
  const std::vector<float> input(30225, 0.1F);
  EXPECT_EQ(run(again, input, 1), run(model, input, 1));
}

TEST(AcdNet, reads_its_own_names_and_those_of_data_parallel) {
  const auto model = fresh({{"channels", kMicro}});
  Checkpoint own;
  Checkpoint parallel;
  for (const auto& [name, tensor] : model.weights) {
    own.tensors[name] = tensor;
    parallel.tensors["module." + name] = tensor;
  }
  EXPECT_EQ(fingerprint(source()->from_checkpoint(own).graph), fingerprint(model.graph));
  EXPECT_EQ(fingerprint(source()->from_checkpoint(parallel).graph), fingerprint(model.graph));
}

TEST(AcdNet, names_the_tensor_that_is_missing) {
  auto checkpoint = published(fresh({{"channels", kMicro}}), micro_layout());
  checkpoint.tensors.erase("tfeb.8.bias");
  EXPECT_THAT(complaint_about(checkpoint), HasSubstr("tensor 'tfeb.8.bias': missing"));
  EXPECT_THAT(complaint_about({}), HasSubstr("missing"));
}

TEST(AcdNet, names_the_tensor_that_is_too_much) {
  auto checkpoint = published(fresh({{"channels", kMicro}}), micro_layout());
  checkpoint.tensors["tfeb.99.weight"] = Tensor(DType::float32, {3});
  EXPECT_THAT(complaint_about(checkpoint), HasSubstr("tensor 'tfeb.99.weight': not of this network"));
}

TEST(AcdNet, names_the_tensor_of_a_wrong_shape_or_type) {
  const auto right = published(fresh({{"channels", kMicro}}), micro_layout());
  auto wrong = right;
  wrong.tensors["tfeb.4.weight"] = Tensor(DType::float32, {14, 9, 3, 3});
  EXPECT_THAT(complaint_about(wrong), HasSubstr("tensor 'tfeb.4.weight': shape [14, 9, 3, 3]"));
  wrong = right;
  wrong.tensors["tfeb.4.weight"] = Tensor(DType::float32, {14, 10});
  EXPECT_THAT(complaint_about(wrong), HasSubstr("tensor 'tfeb.4.weight': shape [14, 10]"));
  wrong = right;
  wrong.tensors["tfeb.38.bias"] = Tensor(DType::int32, {50});
  EXPECT_THAT(complaint_about(wrong), HasSubstr("tensor 'tfeb.38.bias': int32"));
}

TEST(AcdNet, refuses_a_weight_that_is_no_number) {
  auto checkpoint = published(fresh({{"channels", kMicro}}), micro_layout());
  checkpoint.tensors["tfeb.7.weight"].as<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint_about(checkpoint), HasSubstr("tfeb.7.weight"));
}

TEST(AcdNet, reads_both_published_files) {
  if (!std::filesystem::exists(kPublished)) GTEST_SKIP() << "the published checkpoints are not here";
  for (const auto* file : {"micro_acdnet_pruned_1659.pt", "micro_acdnet_pruned_trained_fold4_86.00.pt"}) {
    const auto model = source()->from_checkpoint(read_checkpoint(kPublished / file));
    EXPECT_EQ(parameter_count(model.graph), 131'474);
    EXPECT_NO_THROW(verify(model));
  }
}

TEST(AcdNet, computes_what_stock_pytorch_computes) {
  if (!std::filesystem::exists(kPublished)) GTEST_SKIP() << "the published checkpoints are not here";
  const auto model =
      source()->from_checkpoint(read_checkpoint(kPublished / "micro_acdnet_pruned_trained_fold4_86.00.pt"));
  const auto reference =
      read_safetensors(std::string(COMPRESS_SOURCE_DIR) + "/tests/acdnet/reference.safetensors").tensors;
  std::vector<float> wave(30225);
  for (std::size_t i = 0; i < wave.size(); ++i)
    wave[i] = static_cast<float>(0.5 * std::sin(0.05 * static_cast<double>(i)));
  EXPECT_THAT(run(model, wave, 1),
              testing::Pointwise(testing::FloatNear(1e-5F), reference.at("probabilities").as<float>()));
}

}  // namespace
}  // namespace compress
