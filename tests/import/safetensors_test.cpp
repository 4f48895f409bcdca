#include "libcompress/import/safetensors.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "bytes_maker.h"
#include "libcompress/base/files.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string make_file(const std::string& header, std::size_t data_bytes) {
  return number(header.size(), 8) + header + std::string(data_bytes, '\0');
}

StateFile parse(const std::string& file) { return parse_safetensors(bytes_of(file), "f.safetensors"); }

std::string refusal(const std::string& header, std::size_t data_bytes) {
  const auto file = make_file(header, data_bytes);
  const auto error = error_of([&] { parse(file); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

StateDict two_tensors() {
  StateDict tensors;
  tensors["b"] = Tensor::of({2, 1}, std::vector<float>{1.5f, -2.0f});
  tensors["a"] = Tensor(DType::int8, {3});
  tensors["a"].as<std::int8_t>()[2] = -7;
  return tensors;
}

TEST(Safetensors, reads_back_what_it_writes) {
  const auto path = std::filesystem::path(testing::TempDir()) / "import_round_trip.safetensors";
  write_safetensors(path, two_tensors(), {{"config", "[1, 2]"}});
  const auto file = read_safetensors(path);
  std::filesystem::remove(path);
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_THAT(file.tensors.at("b").as<float>(), ElementsAre(1.5f, -2.0f));
  EXPECT_EQ(file.tensors.at("b").shape(), (Shape{2, 1}));
  EXPECT_THAT(file.tensors.at("a").as<std::int8_t>(), ElementsAre(0, 0, -7));
  EXPECT_EQ(file.metadata.at("config"), "[1, 2]");
}

TEST(Safetensors, writes_the_same_bytes_for_the_same_content) {
  const auto bytes = format_safetensors(two_tensors(), {{"k", "v"}});
  EXPECT_EQ(bytes, format_safetensors(two_tensors(), {{"k", "v"}}));
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[8,11],"dtype":"I8","shape":[3]},)"
      R"("b":{"data_offsets":[0,8],"dtype":"F32","shape":[2,1]}})";
  EXPECT_EQ(bytes.substr(8, header.size()), header);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_EQ(bytes.size(), 8 + length + 11);
}

TEST(Safetensors, writes_and_reads_a_file_without_tensors) {
  EXPECT_TRUE(parse(format_safetensors({})).tensors.empty());
}

TEST(Safetensors, rounds_float16_to_nearest_even) {
  const std::vector<float> values = {0.0f,     -0.0f,    1.0f,     1.0f + 0x1p-11f, 1.0f + 0x3p-11f,
                                     65504.0f, 0x1p-24f, 0x1p-25f, 0x3p-25f,        0x1.ffcp-15f,
                                     -0.1f};
  StateDict tensors;
  tensors["x"] = Tensor::of({11}, values);
  const auto file = parse(format_safetensors(tensors, {}, {.float16 = true}));
  EXPECT_EQ(file.tensors.at("x").dtype(), DType::float16);
  const auto wide = file.tensors.at("x").to_float32();
  EXPECT_THAT(wide.as<float>(), ElementsAre(0.0f, -0.0f, 1.0f, 1.0f, 1.0f + 0x1p-9f, 65504.0f, 0x1p-24f, 0.0f,
                                            0x1p-23f, 0x1p-14f, -0.0999755859375f));
  EXPECT_TRUE(std::signbit(wide.as<float>()[1]));
}

TEST(Safetensors, refuses_a_value_that_float16_cannot_hold) {
  StateDict tensors;
  tensors["x"] = Tensor::of({1}, std::vector<float>{65520.0f});
  EXPECT_THAT(error_of([&] { format_safetensors(tensors, {}, {.float16 = true}); }).what(),
              HasSubstr("65504"));
}

TEST(Safetensors, reads_every_dtype_of_the_reference_writer) {
  const auto tensors = parse(fixture("kinds.safetensors")).tensors;
  EXPECT_EQ(tensors.size(), 18u);
  EXPECT_THAT(tensors.at("transposed").as<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(tensors.at("brain").as<float>(), ElementsAre(1.0f, -3.140625f));
  EXPECT_THAT(tensors.at("int64").as<std::int64_t>(), ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_EQ(tensors.at("scalar").shape(), Shape{});
  EXPECT_EQ(tensors.at("nothing").shape(), (Shape{0, 3}));
}

TEST(Safetensors, refuses_a_header_longer_than_the_file_or_the_limit) {
  const auto claim = [](std::uint64_t length) {
    const auto file = number(length, 8) + "{}";
    return std::string(error_of([&] { parse(file); }).what());
  };
  EXPECT_THAT(claim(3), HasSubstr("needed"));
  EXPECT_THAT(claim(std::uint64_t{1} << 40), HasSubstr("at most"));
  EXPECT_THAT(claim(~std::uint64_t{0}), HasSubstr("at most"));
}

TEST(Safetensors, refuses_ranges_with_a_gap_an_overlap_or_a_rest) {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  EXPECT_EQ(parse(make_file(two("[2,4]", "[0,2]"), 4)).tensors.size(), 2u);
  EXPECT_THAT(refusal(two("[0,2]", "[3,5]"), 5), HasSubstr("gap"));
  EXPECT_THAT(refusal(two("[0,2]", "[1,3]"), 3), HasSubstr("overlap"));
  EXPECT_THAT(refusal(two("[0,2]", "[0,2]"), 2), HasSubstr("overlap"));
  EXPECT_THAT(refusal(two("[0,2]", "[2,4]"), 5), HasSubstr("after the last"));
  EXPECT_THAT(refusal(two("[0,2]", "[2,4]"), 3), HasSubstr("cut short"));
  EXPECT_THAT(refusal(two("[0,2]", "[4,2]"), 4), HasSubstr("bytes 4 to 2"));
}

TEST(Safetensors, refuses_a_shape_at_odds_with_its_bytes) {
  const auto one = [](const std::string& dtype, const std::string& shape) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,4]}})";
  };
  EXPECT_THAT(refusal(one("F32", "[2]"), 4), HasSubstr("4 bytes for F32"));
  EXPECT_THAT(refusal(one("F32", "[4611686018427387904,4]"), 4), HasSubstr("'a'"));
  EXPECT_THAT(refusal(one("F32", "[1099511627776,1099511627776]"), 4), HasSubstr("'a'"));
  EXPECT_THAT(refusal(one("F32", "[-1]"), 4), HasSubstr("negative"));
  EXPECT_THAT(refusal(one("F32", "[1.0]"), 4), HasSubstr("fraction"));
  EXPECT_THAT(refusal(one("F32", "[18446744073709551615]"), 4), HasSubstr("2^63"));
  EXPECT_THAT(refusal(one("F8_E4M3", "[4]"), 4), HasSubstr("dtype 'F8_E4M3'"));
}

TEST(Safetensors, refuses_doubled_unknown_and_missing_keys) {
  const std::string tensor = R"({"dtype":"U8","shape":[],"data_offsets":[0,1]})";
  EXPECT_THAT(refusal(R"({"a":)" + tensor + R"(,"a":)" + tensor + "}", 1), HasSubstr("key 'a' twice"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","dtype":"U8"}})", 1), HasSubstr("key 'dtype' twice"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}})", 1),
              HasSubstr("key 'x'"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[]}})", 1), HasSubstr("incomplete"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"k":"1","k":"2"}})", 0), HasSubstr("'k' twice"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"k":1}})", 0), HasSubstr("number"));
}

TEST(Safetensors, refuses_json_of_another_shape_however_deep) {
  EXPECT_THAT(refusal(R"({"a":[1]})", 0), HasSubstr("a list"));
  EXPECT_THAT(refusal(R"({"a":{"shape":[[1]]}})", 0), HasSubstr("a list"));
  EXPECT_THAT(refusal("{\"a\":" + std::string(1'000'000, '['), 0), HasSubstr("a list"));
  EXPECT_THAT(refusal("{\"a\":{\"b\":{", 0), HasSubstr("key 'b'"));
  EXPECT_THAT(refusal("{\"a\"", 0), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{} x", 0), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{\"\xff\":{}}", 0), HasSubstr("not JSON"));
}

TEST(Safetensors, refuses_to_write_names_that_are_not_utf8) {
  StateDict tensors;
  tensors["\xff"] = Tensor(DType::int8, {1});
  EXPECT_THAT(error_of([&] { format_safetensors(tensors); }).what(), HasSubstr("UTF-8"));
}

TEST(Safetensors, leaves_an_earlier_file_whole_when_writing_fails) {
  const auto path = std::filesystem::path(testing::TempDir()) / "import_whole.safetensors";
  write_safetensors(path, two_tensors());
  StateDict broken = two_tensors();
  broken["b"].as<float>()[0] = 1e9f;
  EXPECT_THROW(write_safetensors(path, broken, {}, {.float16 = true}), Error);
  EXPECT_EQ(read_safetensors(path).tensors.size(), 2u);
  std::filesystem::remove(path);
  const auto missing = error_of([&] { read_safetensors(path); });
  EXPECT_EQ(missing.kind(), ErrorKind::io);
}

}  // namespace
}  // namespace compress
