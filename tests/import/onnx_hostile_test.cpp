// ONNX files made to harm: each must end in one clear Error, without much memory and without a crash.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "bytes_maker.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/base/random.h"
#include "libcompress/import/onnx.h"
#include "memory_meter.h"
#include "onnx_maker.h"

namespace compress {
namespace {

using ::testing::HasSubstr;
using namespace testing;

constexpr std::size_t kMostMemory = std::size_t{256} << 20;

std::string refusal(const std::string& bytes, const std::filesystem::path& folder = "/nowhere") {
  const auto before = bytes_in_use();
  reset_peak();
  const auto error = error_of([&] { parse_onnx(bytes_of(bytes), "m.onnx", folder); });
  EXPECT_TRUE(error.kind() == ErrorKind::input || error.kind() == ErrorKind::io) << error.what();
  EXPECT_LT(peak_bytes() - before, kMostMemory);
  return error.what();
}

OnnxFile add(const Message& weight, const std::vector<std::int64_t>& shape = {1, 4}) {
  return {{node("Add", {"x", "w"}, {"y"}, {}, "sum")}, {weight}, {value("x", shape)}, {value("y", shape)}};
}

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

TEST(HostileOnnx, tensor_that_claims_more_than_it_holds_allocates_nothing) {
  for (const auto& dims :
       std::vector<std::vector<std::int64_t>>{{kHuge}, {1 << 30}, {1 << 20, 1 << 20, 1 << 20}, {-4}}) {
    reset_peak();
    const auto before = bytes_in_use();
    refusal(add(tensor("w", 1, dims, "1234")).bytes());
    EXPECT_LT(peak_bytes() - before, std::size_t{1} << 20);
  }
  EXPECT_THAT(refusal(add(tensor("w", 1, {4}, std::string(12, '0'))).bytes()),
              HasSubstr("12 bytes for float32 of shape [4]"));
}

TEST(HostileOnnx, shapes_beyond_all_measure_are_refused) {
  EXPECT_THAT(refusal(add(floats("w", {4}, {1, 2, 3, 4}), {1, kHuge}).bytes()), HasSubstr("input 'x'"));
  EXPECT_THAT(refusal(add(floats("w", {4}, {1, 2, 3, 4}), {1 << 20, 1 << 20, 4}).bytes()), HasSubstr("2^31"));
  const OnnxFile outer{{node("Mul", {"x", "z"}, {"y"})},
                       {},
                       {value("x", {1 << 20, 1}), value("z", {1, 1 << 20})},
                       {value("y", {1})}};
  EXPECT_THAT(refusal(outer.bytes()), HasSubstr("2^31"));
}

TEST(HostileOnnx, attributes_beyond_all_measure_are_refused) {
  for (const auto* name : {"pads", "strides", "dilations"}) {
    const std::vector<std::int64_t> numbers(name == std::string("pads") ? 4 : 2, kHuge);
    const OnnxFile file{{node("Conv", {"x", "w"}, {"y"}, {attribute(name, numbers)})},
                        {floats("w", {1, 1, 1, 1}, {1})},
                        {value("x", {1, 1, 4, 4})},
                        {value("y", {1})}};
    EXPECT_THAT(refusal(file.bytes()), HasSubstr(name));
  }
}

TEST(HostileOnnx, constants_that_grow_are_stopped) {
  OnnxFile file{{},
                {integers("n", {1 << 20}), integers("big", {1 << 15, 1 << 15})},
                {value("x", {1})},
                {value("y", {1})}};
  file.nodes = {node("ConstantOfShape", {"big"}, {"c"}), node("Add", {"x", "c"}, {"y"})};
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("constants of more than"));
  file.nodes = {node("ConstantOfShape", {"n"}, {"c0"})};
  for (int i = 0; i < 100; ++i)
    file.nodes.push_back(node("Neg", {"c" + std::to_string(i)}, {"c" + std::to_string(i + 1)}));
  file.nodes.push_back(node("Add", {"x", "c100"}, {"y"}));
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("constants of more than"));
}

TEST(HostileOnnx, nodes_in_a_circle_are_refused) {
  OnnxFile file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.nodes = {node("Add", {"x", "b"}, {"a"}, {}, "one"), node("Add", {"a", "x"}, {"b"}, {}, "two"),
                node("Add", {"a", "b"}, {"y"})};
  EXPECT_THAT(refusal(file.bytes()),
              HasSubstr("node 'one' ('Add'): the input 'b', which nothing makes before it"));
}

TEST(HostileOnnx, names_used_twice_are_refused) {
  OnnxFile file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.nodes.push_back(node("Relu", {"x"}, {"y"}));
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("made twice"));
  file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.initializers.push_back(floats("w", {1}, {1}));
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("'w'"));
  file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.inputs.push_back(value("x", {1, 4}));
  EXPECT_NO_THROW(parse_onnx(bytes_of(add(floats("w", {4}, {1, 2, 3, 4})).bytes()), "m.onnx", "/nowhere"));
}

TEST(HostileOnnx, one_name_of_all_kinds_of_things_becomes_three) {
  OnnxFile file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.nodes = {node("Add", {"x", "w"}, {"a"}, {}, "w"), node("Add", {"a", "w"}, {"y"}, {}, "w")};
  const auto model = parse_onnx(bytes_of(file.bytes()), "m.onnx", "/nowhere");
  EXPECT_EQ(model.graph.nodes()[0].name, "w_1");
  EXPECT_EQ(model.graph.nodes()[1].name, "w_2");
}

TEST(HostileOnnx, missing_outputs_and_inputs_are_refused) {
  OnnxFile file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.outputs = {value("nowhere", {1})};
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("output 'nowhere': nothing makes it"));
  file.outputs.clear();
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("no output"));
  file = add(floats("w", {4}, {1, 2, 3, 4}));
  file.nodes = {node("Add", {"x"}, {"y"})};
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("no input 1"));
  file.nodes = {node("Relu", {}, {"y"})};
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("no input 0"));
}

TEST(HostileOnnx, divisions_by_zero_in_shapes_are_refused) {
  OnnxFile file{{node("Div", {"a", "zero"}, {"to"}), node("Reshape", {"x", "to"}, {"y"})},
                {integers("a", {4}), integers("zero", {0})},
                {value("x", {1, 4})},
                {value("y", {4})}};
  EXPECT_THAT(refusal(file.bytes()), HasSubstr("a division by 0"));
}

Message external(const std::string& location, const std::string& offset = "0",
                 const std::string& length = "16") {
  auto weight = Message().number(1, 4).number(2, 1).text(8, "w").number(14, 1);
  weight.message(13, Message().text(1, "location").text(2, location));
  weight.message(13, Message().text(1, "offset").text(2, offset));
  weight.message(13, Message().text(1, "length").text(2, length));
  return weight;
}

class External : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    write_file(root_ / "secret.bin", std::string(64, 's'));
    write_file(folder_ / "w.bin", std::string(64, '\0'));
  }
  std::string refused(const Message& weight) { return refusal(add(weight).bytes(), folder_); }

  std::filesystem::path root_ = std::filesystem::path(::testing::TempDir()) / "onnx_hostile";
  std::filesystem::path folder_ = root_ / "model";
};

TEST_F(External, data_outside_the_folder_is_refused) {
  EXPECT_THAT(refused(external("../secret.bin")), HasSubstr("'..' in the path"));
  EXPECT_THAT(refused(external((root_ / "secret.bin").string())), HasSubstr("an absolute path"));
  std::filesystem::create_symlink(root_ / "secret.bin", folder_ / "link.bin");
  EXPECT_THAT(refused(external("link.bin")), HasSubstr("a link that leads out of the folder"));
  std::filesystem::create_directory_symlink(root_, folder_ / "up");
  EXPECT_THAT(refused(external("up/secret.bin")), HasSubstr("a link that leads out of the folder"));
  EXPECT_THAT(refused(external(std::string("w.bin\0.txt", 10))), HasSubstr("readable location"));
}

TEST_F(External, data_beyond_the_end_of_its_file_is_refused) {
  EXPECT_THAT(refused(external("w.bin", "60")), HasSubstr("inside its 64 bytes"));
  EXPECT_THAT(refused(external("w.bin", "18446744073709551615")), HasSubstr("inside its 64 bytes"));
  EXPECT_THAT(refused(external("w.bin", "0", "8")), HasSubstr("8 bytes for float32 of shape [4]"));
  EXPECT_THAT(refused(external("w.bin", "-1")), HasSubstr("as a number of bytes"));
  EXPECT_THAT(refused(external("missing.bin")), HasSubstr("cannot read"));
}

TEST_F(External, data_that_is_no_file_is_refused) {
  std::filesystem::create_directory(folder_ / "folder.bin");
  refused(external("folder.bin"));
}

TEST_F(External, one_file_under_many_names_is_refused_before_it_fills_the_memory) {
  write_file(folder_ / "w.bin", std::string(1 << 20, '\0'));
  OnnxFile file{{}, {}, {value("x", {1})}, {value("y", {1})}};
  std::string last = "x";
  for (int i = 0; i < 300; ++i) {
    const auto name = "w" + std::to_string(i);
    auto weight = Message().number(1, 1 << 18).number(2, 1).text(8, name).number(14, 1);
    weight.message(13, Message().text(1, "location").text(2, "w.bin"));
    file.initializers.push_back(weight);
    file.nodes.push_back(node("Add", {last, name}, {i == 299 ? "y" : "s" + std::to_string(i)}));
    last = "s" + std::to_string(i);
  }
  EXPECT_THAT(refusal(file.bytes(), folder_), HasSubstr("more external data than its file holds"));
}

std::string rich_file() {
  const std::vector<std::int64_t> pads{1, 1, 1, 1};
  const OnnxFile file{
      {node("Conv", {"x", "w"}, {"c"}, {attribute("pads", pads)}, "conv"), node("Relu", {"c"}, {"r"}),
       node("MaxPool", {"r"}, {"m"}, {attribute("kernel_shape", std::vector<std::int64_t>{2, 2})}),
       node("Shape", {"m"}, {"s"}), node("Slice", {"s", "zero", "one"}, {"n"}),
       node("Concat", {"n", "rest"}, {"to"}, {attribute("axis", std::int64_t{0})}),
       node("Reshape", {"m", "to"}, {"f"}),
       node("Gemm", {"f", "fc"}, {"g"}, {attribute("transB", std::int64_t{1}), attribute("alpha", 0.5f)}),
       node("Softmax", {"g"}, {"y"})},
      {floats("w", {1, 1, 3, 3}, std::vector<float>(9, 1)), integers("zero", {0}), integers("one", {1}),
       integers("rest", {-1}), floats("fc", {2, 9}, std::vector<float>(18, 2))},
      {value("x", {-1, 1, 4, 4})},
      {value("y", {-1, 2})}};
  return file.bytes();
}

/// True if the file was read, false if it was refused as it should be; anything else fails the test.
bool reads(const std::string& bytes) {
  try {
    parse_onnx(bytes_of(bytes), "m.onnx", "/nowhere");
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.kind() == ErrorKind::input || error.kind() == ErrorKind::io) << error.what();
    return false;
  }
}

TEST(HostileOnnx, file_cut_short_is_refused_wherever_it_ends) {
  const auto whole = rich_file();
  ASSERT_TRUE(reads(whole));
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_FALSE(reads(whole.substr(0, size))) << size;
}

TEST(HostileOnnx, flipped_bits_never_crash) {
  const auto whole = rich_file();
  const auto before = bytes_in_use();
  reset_peak();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    reads(flipped);
  }
  EXPECT_LT(peak_bytes() - before, kMostMemory);
}

TEST(HostileOnnx, random_changes_never_crash) {
  const auto whole = rich_file();
  auto random = Random::stream(5, whole.size());
  for (int round = 0; round < 5000; ++round) {
    auto file = whole;
    for (auto changes = 1 + random.below(4); changes > 0; --changes) {
      const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(file.size())));
      if (random.below(3) == 0) {
        file.erase(at, static_cast<std::size_t>(1 + random.below(8)));
      } else {
        file[at] = static_cast<char>(random.below(256));
      }
      if (file.empty()) break;
    }
    reads(file);
  }
}

}  // namespace
}  // namespace compress
