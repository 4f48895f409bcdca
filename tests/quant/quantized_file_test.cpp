#include "libcompress/quant/quantized_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"
#include "libcompress/quant/reference.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// What reading says of the file after its first `from` became `to`, which must be as long.
std::string complaint_with(const std::string& from, const std::string& to) {
  auto file = format_quantized(test::small_quantized_graph());
  const auto at = file.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  file.replace(at, from.size(), to);
  try {
    parse_quantized(bytes_of(file), "net.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(QuantizedFile, gives_back_the_same_network) {
  const auto graph = test::small_quantized_graph();
  const auto path = std::filesystem::temp_directory_path() / "libcompress_quantized_file_test.safetensors";
  save_quantized(path, graph);
  const auto read = load_quantized(path);
  std::filesystem::remove(path);
  EXPECT_EQ(to_text(read), to_text(graph));
  EXPECT_EQ(format_quantized(read), format_quantized(graph));
  ASSERT_EQ(read.values.size(), graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    EXPECT_EQ(read.values[i].scale, graph.values[i].scale);
    EXPECT_EQ(read.values[i].channel_scales, graph.values[i].channel_scales);
  }
  Random random(4);
  std::vector<std::int8_t> input(96);
  for (auto& x : input) x = static_cast<std::int8_t>(random.below(256) - 128);
  EXPECT_EQ(ReferenceExecutor(read).run(input), ReferenceExecutor(graph).run(input));
}

TEST(QuantizedFile, names_the_field_that_is_wrong) {
  EXPECT_THAT(complaint_with(R"(\"clamp_min\")", R"(\"clamp_mim\")"),
              testing::HasSubstr("no field 'clamp_min'"));
  EXPECT_THAT(complaint_with(R"(\"groups\":1)", R"(\"groups\":x)"), testing::HasSubstr("no JSON"));
  EXPECT_THAT(complaint_with(R"(\"groups\":1)", R"(\"groups\":0)"), testing::HasSubstr("0 groups"));
  EXPECT_THAT(complaint_with(R"(\"op\":\"conv\")", R"(\"op\":\"cnov\")"),
              testing::HasSubstr("operator 'cnov'"));
  EXPECT_THAT(complaint_with(R"(\"left_shift\":20)", R"(\"left_shift\":{})"),
              testing::HasSubstr("left_shift"));
  EXPECT_THAT(complaint_with("libcompress.quantized", "libcompress.quantised"), testing::HasSubstr("format"));
}

TEST(QuantizedFile, survives_any_cut_and_any_flipped_bit) {
  const auto file = format_quantized(test::small_quantized_graph());
  Random random(5);
  const auto size = static_cast<std::int64_t>(file.size());
  for (int i = 0; i < 2000; ++i) {
    auto spoiled = file;
    if (i % 3 == 0)
      spoiled.resize(static_cast<std::size_t>(random.below(size)));
    else
      spoiled[static_cast<std::size_t>(random.below(size))] ^= static_cast<char>(1 << random.below(8));
    try {
      ReferenceExecutor(parse_quantized(bytes_of(spoiled), "spoiled")).run(std::vector<std::int8_t>(96));
    } catch (const Error&) {
    }
  }
}

TEST(QuantizedFile, refuses_a_file_of_weights_only) {
  EXPECT_THROW(parse_quantized(bytes_of(std::string("nonsense")), "nonsense"), Error);
}

}  // namespace
}  // namespace compress
