#include <gmock/gmock.h>

#include <limits>

#include "libcompress/base/error.h"
#include "libcompress/graph/graph.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::HasSubstr;

Model sample() {
  Builder net({1, 2, 4, 4});
  Random random(1);
  return testing::with_random_weights(net.done(net.conv("c", net.input(), 3, {.bias = true})), random);
}

std::string complaint_about(const Model& model) {
  try {
    verify(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no error";
}

TEST(Verify, accepts_a_whole_model) { EXPECT_EQ(complaint_about(sample()), "no error"); }

TEST(Verify, refuses_a_weight_that_is_not_finite) {
  auto model = sample();
  model.weights["c.bias"].as<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint_about(model), HasSubstr("tensor 'c.bias': nan at element 1"));
  model.weights["c.bias"].as<float>()[1] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(complaint_about(model), HasSubstr("inf at element 1"));
}

TEST(Verify, refuses_a_missing_weight) {
  auto model = sample();
  model.weights.erase("c.bias");
  EXPECT_THAT(complaint_about(model), HasSubstr("tensor 'c.bias': no weight"));
}

TEST(Verify, refuses_a_weight_of_another_shape_or_type) {
  auto model = sample();
  model.weights["c.bias"] = Tensor(DType::float32, {4});
  EXPECT_THAT(complaint_about(model), HasSubstr("float32 [4]; allowed: float32 [3]"));
  model.weights["c.bias"] = Tensor(DType::float16, {3});
  EXPECT_THAT(complaint_about(model), HasSubstr("float16 [3]"));
}

TEST(Verify, refuses_a_weight_left_over) {
  auto model = sample();
  model.weights["stray"] = Tensor(DType::float32, {1});
  EXPECT_THAT(complaint_about(model), HasSubstr("tensor 'stray'"));
}

TEST(Verify, refuses_a_graph_without_output) {
  Builder net({1, 2, 4, 4});
  net.conv("c", net.input(), 3);
  EXPECT_THROW(verify(net.graph), Error);
}

TEST(Verify, random_graphs_are_valid) {
  Random random(4);
  for (int i = 0; i < 100; ++i) verify(testing::with_random_weights(testing::random_graph(random), random));
}

}  // namespace
}  // namespace compress
