#include "libcompress/import/bytes.h"

#include <gmock/gmock.h>

#include "bytes_maker.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

TEST(ByteReader, reads_little_endian_numbers_in_turn) {
  const std::string text("\x01\x02\x03\x04\x05\x06\x07", 7);
  ByteReader reader(bytes_of(text), "f");
  EXPECT_EQ(reader.u8(), 1u);
  EXPECT_EQ(reader.u16(), 0x0302u);
  EXPECT_EQ(reader.u32(), 0x07060504u);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, refuses_to_read_past_the_end_and_says_where) {
  ByteReader reader(bytes_of("abc"), "model.pt");
  reader.u8();
  const auto error = error_of([&] { reader.take(~std::uint64_t{0}); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_THAT(error.what(), HasSubstr("model.pt, byte 1"));
  EXPECT_EQ(reader.position(), 1u);
}

TEST(ByteReader, refuses_a_line_without_an_end) {
  ByteReader reader(bytes_of("abcdef\n"), "f");
  EXPECT_THROW(reader.line(3), Error);
  EXPECT_EQ(reader.line(6), "abcdef");
}

TEST(Quotes, make_any_name_fit_to_print) {
  EXPECT_EQ(in_quotes("conv1.weight"), "'conv1.weight'");
  EXPECT_EQ(in_quotes("gr\xc3\xb6\xc3\x9f"
                      "e"),
            "'gr\xc3\xb6\xc3\x9f"
            "e'");
  EXPECT_EQ(in_quotes("a\n\x1b[2J\xff"), "'a??[2J?'");
  EXPECT_EQ(in_quotes(std::string(1000, 'x')).size(), 85u);
}

TEST(Utf8, refuses_overlong_cut_and_surrogate_forms) {
  EXPECT_TRUE(is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\x80"));
}

}  // namespace
}  // namespace compress
