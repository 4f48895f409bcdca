#include "libcompress/quant/mixed_widths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/quant/reference.h"
#include "libcompress/runtime/executor.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kInputs = 6;

/// Four convolutions; the ranges of the second one are far apart, so that 8 bits lose it.
Model chain() {
  auto model = test::NetworkBuilder({1, 3, 8, 8})
                   .conv("conv1", 6, {3, 3}, {1, 1})
                   .conv("conv2", 6, {3, 3}, {1, 1})
                   .conv("conv3", 6, {3, 3}, {1, 1})
                   .conv("conv4", 4, {3, 3}, {1, 1})
                   .finish();
  const auto grow = model.weights.at("conv2.weight").as<float>();
  for (std::size_t i = 0; i < grow.size() / 6; ++i) grow[i] *= 100;  // channel 0 ...
  const auto shrink = model.weights.at("conv3.weight").as<float>();
  for (std::size_t i = 0; i < shrink.size(); i += 9)
    if (i / 9 % 6 == 0)
      std::for_each_n(shrink.begin() + static_cast<std::ptrdiff_t>(i), 9, [](float& x) { x /= 100; });
  return model;
}

Quantization quantized(const Model& model, const WidthRequest& int16) {
  ArraySource source(test::random_inputs(model, kInputs), 3 * 8 * 8);
  return post_training(model, {source, test::WholeRange()}, {.int16 = int16});
}

/// Of the bytes that the network gives, beside float32.
double output_db(const Model& model, const Quantization& made) {
  const ReferenceExecutor integers(made.graph);
  Executor floats(model);
  const auto inputs = test::random_inputs(model, kInputs);
  const auto size = inputs.size() / kInputs;
  double signal = 0, error = 0;
  for (std::size_t first = 0; first < inputs.size(); first += size) {
    const auto input = std::span(inputs).subspan(first, size);
    const auto exact = floats.run(input, 1);
    const auto found = dequantize_output(made.graph, integers.run(quantize_input(made.graph, input)));
    for (std::size_t i = 0; i < exact.size(); ++i) {
      signal += std::pow(exact[i], 2.0);
      error += std::pow(exact[i] - found[i], 2.0);
    }
  }
  return sqnr_db(signal, error);
}

std::string complaint(const WidthRequest& int16) {
  try {
    quantized(chain(), int16);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(MixedWidths, gives_16_bits_to_the_nodes_that_patterns_name) {
  const auto made = quantized(chain(), {.nodes = {"conv2", "conv3"}});
  EXPECT_THAT(made.wide, ElementsAre("conv2", "conv3"));
  EXPECT_FALSE(made.search);
  EXPECT_GT(output_db(chain(), made), output_db(chain(), quantized(chain(), {})) + 6);
}

TEST(MixedWidths, finds_the_few_nodes_that_a_wanted_precision_needs) {
  const auto narrow = output_db(chain(), quantized(chain(), {}));
  const auto all = output_db(chain(), quantized(chain(), {.nodes = {"*"}}));
  ASSERT_GT(all, narrow + 10);
  const auto wanted = (narrow + all) / 2;
  const auto made = quantized(chain(), {.sqnr_db = wanted});
  ASSERT_TRUE(made.search);
  EXPECT_NEAR(made.search->narrow_db, narrow, 1e-3);
  EXPECT_NEAR(made.search->widest_db, all, 1e-3);
  EXPECT_GE(made.search->reached_db, wanted);
  EXPECT_NEAR(output_db(chain(), made), made.search->reached_db, 1e-3);
  EXPECT_LT(made.wide.size(), 4U);
  EXPECT_TRUE(made.wide.contains("conv2") || made.wide.contains("conv3")) << to_text(*made.search);
  // None of them can be done without.
  for (const auto& name : made.wide) {
    auto fewer = made.wide;
    fewer.erase(name);
    EXPECT_LT(output_db(chain(), quantized(chain(), {.nodes = {fewer.begin(), fewer.end()}})), wanted)
        << name;
  }
}

TEST(MixedWidths, leaves_all_in_8_bits_where_that_will_do) {
  const auto made = quantized(chain(), {.sqnr_db = 1.0});
  EXPECT_THAT(made.wide, IsEmpty());
  EXPECT_THAT(made.search->nodes, IsEmpty());
}

TEST(MixedWidths, keeps_what_was_named_and_adds_what_is_missing) {
  const auto all = output_db(chain(), quantized(chain(), {.nodes = {"*"}}));
  const auto made = quantized(chain(), {.nodes = {"conv1"}, .sqnr_db = all - 0.01});
  EXPECT_TRUE(made.wide.contains("conv1"));
  EXPECT_GE(made.search->reached_db, all - 0.01);
}

TEST(MixedWidths, names_what_may_have_16_bits_where_a_pattern_matches_none_of_it) {
  EXPECT_THAT(
      complaint({.nodes = {"dense*"}}),
      HasSubstr("'dense*' matches no node that may have 16 bits; allowed: names or patterns (*, ?) of: "
                "conv1, conv2, conv3, conv4"));
}

TEST(MixedWidths, says_what_is_reached_where_the_wanted_precision_is_not) {
  EXPECT_THAT(complaint({.sqnr_db = 150}), HasSubstr("with all 4 nodes in 16 bits; allowed: 150 dB wanted"));
}

}  // namespace
}  // namespace compress
