// Files made to harm: each must end in one clear Error, without much memory and without a crash.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "bytes_maker.h"
#include "libcompress/base/random.h"
#include "libcompress/import/checkpoint.h"
#include "libcompress/import/zip.h"
#include "memory_meter.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMostMemory = std::size_t{256} << 20;

constexpr const char* kFixtures[] = {"kinds_zip.pt",    "kinds_legacy.pt",    "kinds_protocol4.pt",
                                     "training_zip.pt", "training_legacy.pt", "kinds_legacy_protocol4.pt",
                                     "bare_zip.pt",     "kinds.safetensors"};

/// True if the file was read, false if it was refused as it should be; anything else fails the test.
bool reads(const std::string& file) {
  try {
    parse_checkpoint(bytes_of(file), "f");
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.kind() == ErrorKind::input || error.kind() == ErrorKind::io) << error.what();
    return false;
  }
}

std::string refusal(const std::string& file) {
  const auto before = bytes_in_use();
  reset_peak();
  const auto error = error_of([&] { parse_checkpoint(bytes_of(file), "f.pt"); });
  EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
  EXPECT_LT(peak_bytes() - before, kMostMemory);
  return error.what();
}

TEST(Hostile, pickle_that_calls_os_system_is_refused_by_name) {
  const auto program = "\x80\x02" + pickle_global("os", "system") + pickle_text("touch owned") + "\x85R.";
  EXPECT_THAT(refusal(make_torch_zip(program)), HasSubstr("refused: global os.system"));
  EXPECT_THAT(refusal(make_torch_legacy(program, "].")), HasSubstr("refused: global os.system"));
}

TEST(Hostile, storage_that_claims_gigabytes_allocates_nothing) {
  for (const std::int64_t count :
       {std::int64_t{1} << 62, std::int64_t{1} << 40, std::int64_t{1} << 30, INT64_MAX}) {
    const auto program = one_tensor({.count = count, .shape = {count}});
    const auto keys = "](" + pickle_text("0") + "e.";
    const auto before = bytes_in_use();
    reset_peak();
    refusal(make_torch_zip(program, {{"0", "1234"}}));
    refusal(make_torch_legacy(program, keys + number(static_cast<std::uint64_t>(count), 8) + "1234"));
    EXPECT_LT(peak_bytes() - before, std::size_t{1} << 20);
  }
}

TEST(Hostile, one_element_expanded_to_gigabytes_is_refused_before_it_is_made) {
  const auto file =
      make_torch_zip(one_tensor({.shape = {1 << 20, 1 << 10}, .strides = {0, 0}}), {{"0", "1234"}});
  const auto before = bytes_in_use();
  reset_peak();
  EXPECT_THAT(refusal(file), HasSubstr("far more than the file holds"));
  EXPECT_LT(peak_bytes() - before, std::size_t{1} << 20);
}

TEST(Hostile, one_tensor_under_many_names_is_refused_at_the_same_sum) {
  std::string program =
      "}" + pickle_text("a") + pickle_tensor({.shape = {1 << 20, 8}, .strides = {0, 0}}) + "q\x01s";
  for (int i = 0; i < 100; ++i) program += pickle_integer(i) + "h\x01s";
  EXPECT_THAT(refusal(make_torch_zip(program + ".", {{"0", "1234"}})),
              HasSubstr("far more than the file holds"));
}

TEST(Hostile, memo_that_multiplies_is_stopped) {
  // Level n is a list of level n - 1 ten times over. All levels hang in one list, so each can be made in
  // turn.
  std::string program =
      "}" + pickle_text("a") + pickle_tensor({}) + "s" + pickle_text("l") + "](K\x01\x85q\x01";
  for (int i = 0; i < 40; ++i) {
    program += "(";
    for (int k = 0; k < 10; ++k) program += "h\x01";
    program += "tq\x01";
  }
  EXPECT_THAT(refusal(make_torch_zip(program + "es.", {{"0", "1234"}})),
              HasSubstr("more than 1000000 values"));
}

TEST(Hostile, long_key_in_many_places_is_stopped) {
  std::string program = "}" + pickle_text("a") + pickle_tensor({}) + "s" + pickle_text("k") + "}(" +
                        pickle_text(std::string(1 << 20, 'k')) + "q\x01N";
  for (int i = 0; i < 50'000; ++i) program += "h\x01N";
  EXPECT_THAT(refusal(make_torch_zip(program + "us.", {{"0", "1234"}})), HasSubstr("more than"));
}

TEST(Hostile, one_dict_under_many_keys_is_looked_at_once) {
  std::string program = "}(" + pickle_text("t") + pickle_tensor({}) + "q\x01" + pickle_text("d") + "}(";
  for (int i = 0; i < 50'000; ++i) program += pickle_integer(i) + "h\x01";
  program += "uq\x02";
  for (int i = 0; i < 50'000; ++i) program += pickle_integer(i) + "h\x02";
  refusal(make_torch_zip(program + "u.", {{"0", "1234"}}));
}

TEST(Hostile, container_that_holds_itself_is_stopped) {
  const auto self = "}q\x01" + pickle_text("a") + pickle_tensor({}) + "s" + pickle_text("self") + "h\x01s.";
  EXPECT_THAT(refusal(make_torch_zip(self, {{"0", "1234"}})), HasSubstr("nested"));
}

TEST(Hostile, deep_nesting_is_stopped) {
  std::string program = "}" + pickle_text("l");
  for (int i = 0; i < 5000; ++i) program += "(";
  program += "N";
  for (int i = 0; i < 5000; ++i) program += "t";
  EXPECT_THAT(refusal(make_torch_zip(program + "s.")), HasSubstr("nested"));
  std::string lists = "}" + pickle_text("l") + std::string(100'000, ']');
  EXPECT_THAT(refusal(make_torch_zip(lists + std::string(99'999, 'a') + "s.")), HasSubstr("nested"));
}

TEST(Hostile, file_cut_short_is_refused_wherever_it_ends) {
  for (const auto* name : kFixtures) {
    const auto whole = fixture(name);
    ASSERT_TRUE(reads(whole)) << name;
    for (std::size_t part = 0; part < 50; ++part)
      EXPECT_FALSE(reads(whole.substr(0, whole.size() * part / 50))) << name << " cut at " << part << "/50";
    EXPECT_FALSE(reads(whole.substr(0, whole.size() - 1))) << name;
  }
}

TEST(Hostile, any_flipped_bit_in_a_tensor_of_a_zip_is_caught) {
  const auto whole = fixture("bare_zip.pt");
  const ZipArchive archive(bytes_of(whole), "f");
  for (const auto& [name, entry] : archive.entries()) {
    const bool is_read = name.ends_with("/data.pkl") || name.find("/data/") != std::string::npos;
    for (std::uint64_t bit = 0; is_read && bit < entry.size * 8; ++bit) {
      auto flipped = whole;
      flipped[entry.data_offset + bit / 8] ^= static_cast<char>(1 << bit % 8);
      EXPECT_THAT(refusal(flipped), HasSubstr("CRC-32"));
    }
  }
}

TEST(Hostile, flipped_bits_in_the_older_format_never_crash) {
  const auto whole = fixture("kinds_legacy.pt");
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    reads(flipped);
  }
}

/// One to eight changes: a bit flipped, a byte set, a piece cut out, doubled, or taken from elsewhere in the
/// file.
std::string mutate(std::string file, Random& random) {
  constexpr unsigned char kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '(', '.', 'R', 'h', 't'};
  const auto changes = 1 + random.below(8);
  for (std::int64_t i = 0; i < changes && file.size() > 16; ++i) {
    const auto size = static_cast<std::int64_t>(file.size());
    const auto at = static_cast<std::size_t>(random.below(size));
    const auto length = static_cast<std::size_t>(1 + random.below(16));
    switch (random.below(6)) {
      case 0:
        file[at] ^= static_cast<char>(1 << random.below(8));
        break;
      case 1:
        file[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        file[at] = static_cast<char>(kEdges[random.below(std::size(kEdges))]);
        break;
      case 3:
        file.erase(at, length);
        break;
      case 4:
        file.insert(at, file.substr(at, length));
        break;
      case 5:
        file.replace(at, length, file.substr(static_cast<std::size_t>(random.below(size)), length));
        break;
    }
  }
  return file;
}

class Mutated : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Fixtures, Mutated, testing::ValuesIn(kFixtures));

TEST_P(Mutated, files_are_read_or_refused_in_little_memory) {
  constexpr int kRounds = 3000;
  const auto whole = fixture(GetParam());
  auto random = Random::stream(3, whole.size());
  const auto before = bytes_in_use();
  reset_peak();
  int refused = 0;
  for (int i = 0; i < kRounds; ++i) refused += !reads(mutate(whole, random));
  EXPECT_LT(peak_bytes() - before, kMostMemory);
  EXPECT_GT(refused, kRounds / 4);
}

}  // namespace
}  // namespace compress
