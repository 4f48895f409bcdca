// Damaged TensorFlow Lite files. What good files compute is compared with LiteRT, in
// tests/python/test_tflite_import.py.
#include "libcompress/import/tflite.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "memory_meter.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMostMemory = std::size_t{256} << 20;

std::vector<std::byte> sample(const std::string& name) {
  return read_bytes(std::filesystem::path(COMPRESS_SOURCE_DIR) / "tests/fuzz/corpus/tflite" / name);
}

/// True if the file was read, false if it was refused as it should be; anything else fails the test.
bool reads(std::span<const std::byte> bytes) {
  try {
    parse_tflite(bytes, "f");
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return false;
  }
}

std::string refusal(std::span<const std::byte> bytes) {
  try {
    parse_tflite(bytes, "f");
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

TEST(Tflite, is_told_by_its_identifier) {
  auto bytes = sample("relu");
  EXPECT_TRUE(is_tflite(bytes));
  bytes[5] = std::byte{'X'};
  EXPECT_FALSE(is_tflite(bytes));
  EXPECT_THAT(refusal(bytes), HasSubstr("no TensorFlow Lite file"));
}

TEST(Tflite, is_read_at_any_address) {
  const auto bytes = sample("excitation");
  std::vector<std::byte> shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  EXPECT_TRUE(reads(std::span(shifted).subspan(1)));
}

TEST(Tflite, operand_of_more_axes_than_it_broadcasts_over_is_refused) {
  EXPECT_THAT(refusal(sample("broken_prelu_of_higher_rank")), HasSubstr("input 1 of rank"));
}

TEST(Tflite, file_that_ends_early_is_refused) {
  const auto bytes = sample("flatten_before_linear");
  ASSERT_TRUE(reads(bytes));
  // The last bytes may be padding.
  for (std::size_t length = 0; length + 16 < bytes.size(); length += length < 512 ? 1 : 97)
    EXPECT_FALSE(reads(std::span(bytes).first(length))) << length;
}

TEST(Tflite, changed_byte_is_read_or_refused_without_much_memory) {
  const auto before = bytes_in_use();
  reset_peak();
  for (const auto* name : {"computed_shape", "excitation", "strided_slice", "tile"}) {
    auto bytes = sample(name);
    for (auto& byte : bytes) {
      const auto was = byte;
      for (const auto change : {0x01, 0x7F, 0xFF}) {
        byte = was ^ std::byte(change);
        reads(bytes);
      }
      byte = was;
    }
  }
  EXPECT_LT(peak_bytes() - before, kMostMemory);
}

TEST(Tflite, operators_are_listed_by_name) {
  const auto names = tflite_operators();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, ::testing::IsSupersetOf({"CONV_2D", "TRANSPOSE_CONV", "STRIDED_SLICE"}));
}

}  // namespace
}  // namespace compress
