#include "libcompress/import/checkpoint.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "bytes_maker.h"
#include "libcompress/import/safetensors.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Checkpoint parse(const std::string& file) { return parse_checkpoint(bytes_of(file), "f.pt"); }

std::string refusal(const std::string& file) {
  const auto error = error_of([&] { parse(file); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

class Kinds : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Formats, Kinds,
                         testing::Values("kinds_zip.pt", "kinds_legacy.pt", "kinds_protocol4.pt",
                                         "kinds_legacy_protocol4.pt"));

TEST_P(Kinds, of_dtype_and_layout_are_read_as_pytorch_wrote_them) {
  const auto checkpoint = read_checkpoint(fixture_path(GetParam()));
  EXPECT_EQ(checkpoint.prefix, "weight");
  EXPECT_THAT(checkpoint.lists.at("config"), ElementsAre(7, 20, 10));
  EXPECT_THAT(checkpoint.other_tensors, IsEmpty());
  const auto& tensors = checkpoint.tensors;
  EXPECT_EQ(tensors.size(), 18u);

  EXPECT_EQ(tensors.at("plain").shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(tensors.at("plain").as<float>()[23], 23.0f);
  EXPECT_EQ(tensors.at("transposed").shape(), (Shape{3, 2}));
  EXPECT_THAT(tensors.at("transposed").as<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(tensors.at("shared_head").as<float>(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(tensors.at("shared_tail").as<float>(), ElementsAre(14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
  EXPECT_THAT(tensors.at("every_second").as<float>(), ElementsAre(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23));
  EXPECT_THAT(tensors.at("expanded").as<float>(), ElementsAre(1.5f, 1.5f, 1.5f, -2.5f, -2.5f, -2.5f));
  EXPECT_EQ(tensors.at("scalar").shape(), Shape{});
  EXPECT_THAT(tensors.at("scalar").as<std::int64_t>(), ElementsAre(5));
  EXPECT_EQ(tensors.at("nothing").shape(), (Shape{0, 3}));
  EXPECT_EQ(tensors.at("half").dtype(), DType::float16);
  EXPECT_THAT(std::as_const(tensors.at("half")).to_float32().as<float>(),
              ElementsAre(1.0f, -0.5f, 65504.0f, 0x1p-24f));
  EXPECT_THAT(tensors.at("brain").as<float>(), ElementsAre(1.0f, -3.140625f));
  EXPECT_THAT(tensors.at("double").as<double>(), ElementsAre(0.1, -1e300));
  EXPECT_THAT(tensors.at("int8").as<std::int8_t>(), ElementsAre(-128, 127));
  EXPECT_THAT(tensors.at("uint8").as<std::uint8_t>(), ElementsAre(0, 255));
  EXPECT_THAT(tensors.at("int16").as<std::int16_t>(), ElementsAre(-32768, 32767));
  EXPECT_THAT(tensors.at("int32").as<std::int32_t>(), ElementsAre(INT32_MIN, INT32_MAX));
  EXPECT_THAT(tensors.at("int64").as<std::int64_t>(), ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_EQ(tensors.at("boolean").dtype(), DType::boolean);
  EXPECT_THAT(tensors.at("boolean").to_float32().as<float>(), ElementsAre(1.0f, 0.0f, 1.0f));
  EXPECT_THAT(tensors.at("parameter").as<float>(), ElementsAre(0.25f));
}

TEST(Checkpoint, tells_the_format_from_the_content) {
  EXPECT_EQ(read_checkpoint(fixture_path("kinds_zip.pt")).format, CheckpointFormat::torch_zip);
  EXPECT_EQ(read_checkpoint(fixture_path("kinds_legacy.pt")).format, CheckpointFormat::torch_legacy);
  const auto plain = read_checkpoint(fixture_path("kinds.safetensors"));
  EXPECT_EQ(plain.format, CheckpointFormat::safetensors);
  EXPECT_THAT(plain.lists.at("config"), ElementsAre(7, 20, 10));
  EXPECT_EQ(plain.metadata.at("format"), "pt");
  EXPECT_EQ(plain.tensors.size(), 18u);
}

TEST(Checkpoint, reads_a_bare_state_dict) {
  const auto checkpoint = read_checkpoint(fixture_path("bare_zip.pt"));
  EXPECT_EQ(checkpoint.prefix, "");
  EXPECT_EQ(checkpoint.tensors.at("0.weight").shape(), (Shape{2, 1, 3, 3}));
  EXPECT_THAT(checkpoint.tensors.at("1.num_batches_tracked").as<std::int64_t>(), ElementsAre(1));
}

TEST(Checkpoint, finds_the_state_dict_beside_an_optimizer) {
  for (const auto* name : {"training_zip.pt", "training_legacy.pt"}) {
    const auto checkpoint = read_checkpoint(fixture_path(name));
    EXPECT_EQ(checkpoint.prefix, "model");
    EXPECT_EQ(checkpoint.tensors.size(), 7u);
    EXPECT_TRUE(checkpoint.tensors.contains("1.running_var"));
    EXPECT_TRUE(checkpoint.other_tensors.contains("optimizer.state.0.momentum_buffer"));
    EXPECT_EQ(checkpoint.metadata.at("epoch"), "7");
    EXPECT_EQ(checkpoint.metadata.at("loss"), "0.5");
    EXPECT_EQ(checkpoint.metadata.at("name"), "tiny");
    EXPECT_EQ(checkpoint.metadata.at("best"), "true");
    EXPECT_EQ(checkpoint.metadata.at("note"), "null");
    EXPECT_EQ(checkpoint.metadata.at("dtype"), "torch.float32");
    EXPECT_EQ(checkpoint.metadata.at("labels"), R"(["dog","rain"])");
    EXPECT_EQ(checkpoint.metadata.at("seed"), "000000000000000040");
    EXPECT_THAT(checkpoint.lists.at("size"), ElementsAre(1, 4, 4));
  }
}

TEST(Checkpoint, gives_every_tensor_bytes_of_its_own) {
  auto checkpoint = read_checkpoint(fixture_path("kinds_zip.pt"));
  checkpoint.tensors.at("shared_head").as<float>()[1] = 99.0f;
  EXPECT_EQ(checkpoint.tensors.at("every_second").as<float>()[0], 1.0f);
}

TEST(Checkpoint, refuses_a_tensor_outside_its_storage) {
  const std::string eight(8, '\0');
  const auto file = [&](TensorWords words) {
    words.count = 2;
    return make_torch_zip(one_tensor(words), {{"0", eight}});
  };
  EXPECT_EQ(parse(file({.shape = {2}})).tensors.size(), 1u);
  EXPECT_THAT(refusal(file({.shape = {3}})), HasSubstr("reaches to element 3 of a storage of 2"));
  EXPECT_THAT(refusal(file({.offset = 1, .shape = {2}})), HasSubstr("reaches to element 3"));
  EXPECT_THAT(refusal(file({.offset = 3, .shape = {0}})), HasSubstr("reaches to element 3"));
  EXPECT_THAT(refusal(file({.shape = {2}, .strides = {2}})), HasSubstr("reaches to element 3"));
  EXPECT_THAT(refusal(file({.offset = -1})), HasSubstr("offset -1"));
  EXPECT_THAT(refusal(file({.offset = 1, .shape = {2}, .strides = {-1}})), HasSubstr("strides -1"));
  EXPECT_THAT(refusal(file({.shape = {-2}})), HasSubstr("shape -2"));
  EXPECT_THAT(refusal(file({.shape = {2}, .strides = {}})), HasSubstr("1 extents and 0 strides"));
  EXPECT_THAT(refusal(file({.shape = {2}, .strides = {INT64_MAX}})), HasSubstr("'a'"));
  EXPECT_THAT(refusal(file({.shape = {3, 3}, .strides = {INT64_MAX / 2, INT64_MAX / 2}})), HasSubstr("'a'"));
}

TEST(Checkpoint, refuses_a_storage_of_the_wrong_size_or_none) {
  EXPECT_THAT(refusal(make_torch_zip(one_tensor({}), {{"0", "12345"}})), HasSubstr("5 bytes"));
  EXPECT_THAT(refusal(make_torch_zip(one_tensor({}))), HasSubstr("no zip entry 't/data/0'"));
  const auto keys = "\x80\x02](" + pickle_text("0") + "e.";
  EXPECT_EQ(parse(make_torch_legacy(one_tensor({}), keys + number(1, 8) + "1234")).tensors.size(), 1u);
  EXPECT_THAT(refusal(make_torch_legacy(one_tensor({}), keys + number(2, 8) + "12345678")),
              HasSubstr("2 elements"));
  EXPECT_THAT(refusal(make_torch_legacy(one_tensor({}), keys + number(1, 8) + "12345")),
              HasSubstr("1 bytes after"));
  EXPECT_THAT(refusal(make_torch_legacy(one_tensor({}), "].")), HasSubstr("0 storages"));
}

TEST(Checkpoint, refuses_keys_given_twice) {
  const auto tensor = pickle_text("a") + pickle_tensor({}) + "s";
  EXPECT_THAT(refusal(make_torch_zip("}" + tensor + tensor + ".", {{"0", "1234"}})),
              HasSubstr("given twice"));
}

TEST(Checkpoint, says_what_a_foreign_file_is) {
  EXPECT_THAT(error_of([] { read_checkpoint(fixture_path("torchscript.pt")); }).what(),
              HasSubstr("TorchScript"));
  EXPECT_THAT(error_of([] { read_checkpoint(fixture_path("module.pt")); }).what(),
              HasSubstr("refused: global torch.nn.modules.linear.Linear"));
  EXPECT_THAT(refusal(std::string("\x08\x07\x12\x07pytorch", 11)), HasSubstr("ONNX"));
  EXPECT_THAT(refusal("\x89HDF\r\n\x1a\n1234"), HasSubstr("HDF5"));
  EXPECT_THAT(refusal(std::string("\x1c\0\0\0TFL3", 8)), HasSubstr("TensorFlow Lite"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1"), HasSubstr("LFS"));
  EXPECT_THAT(refusal("\x80\x02}."), HasSubstr("torch.save did not write"));
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("hello"), HasSubstr("no format that we know"));
  EXPECT_THAT(refusal(make_zip({{"word/document.xml", "x"}})), HasSubstr("without data.pkl"));
  EXPECT_EQ(error_of([] { read_checkpoint("no/such/file.pt"); }).kind(), ErrorKind::io);
}

TEST(Checkpoint, refuses_a_root_that_is_no_dict_of_tensors) {
  EXPECT_THAT(refusal(make_torch_zip("].")), HasSubstr("a list"));
  EXPECT_THAT(refusal(make_torch_zip("}.")), HasSubstr("no tensors"));
  EXPECT_THAT(refusal(make_torch_zip("}N" + pickle_tensor({}) + "s.", {{"0", "1234"}})),
              HasSubstr("type None"));
}

TEST(CheckFinite, names_the_tensor_and_the_index) {
  StateDict tensors;
  tensors["ok"] = Tensor::of({1}, std::vector<float>{1e30f});
  tensors["counts"] = Tensor(DType::int64, {4});
  check_finite(tensors, "f.pt");
  tensors["bad"] = Tensor(DType::float32, {2, 3});
  tensors["bad"].as<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  auto error = error_of([&] { check_finite(tensors, "f.pt"); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_THAT(error.what(), HasSubstr("f.pt: tensor 'bad' at [1, 1]: NaN"));
  tensors["bad"] = Tensor(DType::float64, {});
  tensors["bad"].as<double>()[0] = -INFINITY;
  EXPECT_THAT(error_of([&] { check_finite(tensors, "f.pt"); }).what(), HasSubstr("at []: infinity"));
  tensors["bad"] = Tensor(DType::float16, {1});
  tensors["bad"].bytes()[1] = std::byte{0x7c};
  EXPECT_THAT(error_of([&] { check_finite(tensors, "f.pt"); }).what(), HasSubstr("at [0]: infinity"));
}

TEST(Published, checkpoints_load_with_their_channel_counts) {
  const std::filesystem::path folder = COMPRESS_SOURCE_DIR "/../shared/data/acdnet-published";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published files are not here";
  for (const auto* name : {"micro_acdnet_pruned_1659.pt", "micro_acdnet_pruned_trained_fold4_86.00.pt"}) {
    const auto checkpoint = read_checkpoint(folder / name);
    EXPECT_EQ(checkpoint.format, CheckpointFormat::torch_legacy);
    EXPECT_EQ(checkpoint.prefix, "weight");
    EXPECT_THAT(checkpoint.lists.at("config"), ElementsAre(7, 20, 10, 14, 22, 31, 35, 41, 51, 67, 69, 48));
    std::int64_t parameters = 0;
    for (const auto& [tensor_name, tensor] : checkpoint.tensors)
      if (tensor_name.ends_with("weight") || tensor_name.ends_with("bias")) parameters += tensor.count();
    EXPECT_EQ(parameters, 131'474);
    EXPECT_EQ(checkpoint.tensors.size(), 74u);
    check_finite(checkpoint.tensors, name);
  }
}

}  // namespace
}  // namespace compress
