#include "libcompress/import/zip.h"

#include <gmock/gmock.h>

#include "bytes_maker.h"
#include "libcompress/import/bytes.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& file) {
  const auto error = error_of([&] {
    const ZipArchive archive(bytes_of(file), "f.pt");
    for (const auto& [name, entry] : archive.entries()) archive.read(name);
  });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

std::string replaced(std::string file, std::size_t at, const std::string& bytes) {
  return file.replace(at, bytes.size(), bytes);
}

const std::string kFile = make_zip({{"a", "first"}, {"b", "second"}});
const std::size_t kDirectory = kFile.find("PK\x01\x02");
const std::size_t kEnd = kFile.size() - 22;

TEST(Zip, reads_stored_entries) {
  const ZipArchive archive(bytes_of(kFile), "f.pt");
  EXPECT_EQ(archive.entries().size(), 2u);
  ByteReader content(archive.read("b"), "b");
  EXPECT_EQ(content.text(content.size()), "second");
}

TEST(Zip, reads_an_archive_with_a_comment) {
  auto file = kFile + "hello";
  file[kEnd + 20] = 5;
  EXPECT_TRUE(ZipArchive(bytes_of(file), "f.pt").has("a"));
}

TEST(Zip, catches_a_flipped_bit_in_any_byte_of_content) {
  for (const std::string content : {"first", "second"}) {
    for (std::size_t i = 0; i < content.size() * 8; ++i) {
      auto file = kFile;
      file[kFile.find(content) + i / 8] ^= static_cast<char>(1 << i % 8);
      EXPECT_THAT(refusal(file), HasSubstr("CRC-32"));
    }
  }
}

TEST(Zip, refuses_a_wrong_crc_in_both_headers) {
  auto file = replaced(kFile, 14, "\1\2\3\4");
  EXPECT_THAT(refusal(file), HasSubstr("disagree"));
  EXPECT_THAT(refusal(replaced(file, kDirectory + 16, "\1\2\3\4")), HasSubstr("CRC-32"));
}

TEST(Zip, refuses_compressed_and_encrypted_entries) {
  EXPECT_THAT(refusal(replaced(replaced(kFile, 8, "\x08"), kDirectory + 10, "\x08")),
              HasSubstr("compressed"));
  EXPECT_THAT(refusal(replaced(kFile, kDirectory + 8, "\x01")), HasSubstr("encrypted"));
}

TEST(Zip, refuses_headers_that_disagree_on_the_name) {
  EXPECT_THAT(refusal(replaced(kFile, 30, "x")), HasSubstr("disagree"));
}

TEST(Zip, refuses_two_entries_of_one_name) {
  EXPECT_THAT(refusal(make_zip({{"a", "1"}, {"a", "2"}})), HasSubstr("two zip entries named 'a'"));
}

TEST(Zip, refuses_entries_that_overlap) {
  // The first entry claims to be long enough to swallow the second one, consistently in both headers.
  auto file = make_zip({{"a", std::string(10, 'x')}, {"b", "y"}});
  const auto directory = file.find("PK\x01\x02");
  for (const auto at : {std::size_t{18}, std::size_t{22}, directory + 20, directory + 24}) file[at] = 20;
  EXPECT_THAT(refusal(file), HasSubstr("overlap"));
}

TEST(Zip, refuses_a_size_beyond_the_file_before_it_allocates) {
  auto file = kFile;
  for (const auto at : {std::size_t{18}, std::size_t{22}, kDirectory + 20, kDirectory + 24})
    file = replaced(file, at, "\xf0\xff\xff\x7f");
  EXPECT_THAT(refusal(file), HasSubstr("bytes are needed"));
}

TEST(Zip, refuses_a_directory_that_does_not_reach_the_closing_record) {
  EXPECT_THAT(refusal(replaced(kFile, kEnd + 12, "\x01")), HasSubstr("does not end"));
  EXPECT_THAT(refusal(replaced(kFile, kEnd + 8, number(1, 2) + number(1, 2))),
              HasSubstr("longer than its entries"));
  EXPECT_THAT(refusal(replaced(kFile, kEnd + 8, number(3, 2) + number(3, 2))), HasSubstr("needed"));
}

TEST(Zip, refuses_parts_of_a_split_archive) {
  EXPECT_THAT(refusal(replaced(kFile, kEnd + 4, "\x01")), HasSubstr("several parts"));
}

TEST(Zip, refuses_a_zip64_record_at_odds_with_the_narrow_one) {
  auto file = fixture("kinds_zip.pt");
  const auto record = file.rfind("PK\x06\x06");
  ASSERT_NE(record, std::string::npos);
  EXPECT_TRUE(ZipArchive(bytes_of(file), "f.pt").has("kinds_zip/data.pkl"));
  EXPECT_THAT(refusal(replaced(file, record + 32, "\x01")), HasSubstr("disagree"));
}

TEST(Zip, names_a_missing_entry) {
  const ZipArchive archive(bytes_of(kFile), "f.pt");
  EXPECT_THAT(error_of([&] { archive.read("c"); }).what(), HasSubstr("no zip entry 'c'"));
}

}  // namespace
}  // namespace compress
