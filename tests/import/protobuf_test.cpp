#include "libcompress/import/protobuf_wire.h"

#include <gmock/gmock.h>

#include "bytes_maker.h"
#include "libcompress/base/error.h"
#include "onnx_maker.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Message;

/// What reading all fields of `bytes` as messages says.
std::string refusal(const std::string& bytes) {
  ByteReader reader(bytes_of(bytes), "f");
  const auto error = error_of([&] {
    ProtobufMessage message(reader);
    while (message.next()) message.skip();
  });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

TEST(ProtobufWire, reads_each_kind_of_content) {
  const auto bytes = Message().number(1, 300).text(2, "name").float32(3, 1.5f).bytes();
  ByteReader reader(bytes_of(bytes), "f");
  ProtobufMessage message(reader);
  ASSERT_TRUE(message.next());
  EXPECT_EQ(message.varint(), 300u);
  ASSERT_TRUE(message.next());
  EXPECT_EQ(message.text(), "name");
  ASSERT_TRUE(message.next());
  EXPECT_EQ(message.float32(), 1.5f);
  EXPECT_FALSE(message.next());
}

TEST(ProtobufWire, reads_numbers_packed_or_one_a_field) {
  const auto bytes = Message().number(8, 1).text(8, "\x02\xac\x02").number(8, 3).bytes();
  ByteReader reader(bytes_of(bytes), "f");
  ProtobufMessage message(reader);
  std::vector<std::int64_t> list;
  while (message.next()) message.append(list, 10);
  EXPECT_THAT(list, ElementsAre(1, 2, 300, 3));
}

TEST(ProtobufWire, keeps_negative_numbers) {
  const auto bytes = Message().number(1, static_cast<std::uint64_t>(-5)).bytes();
  ByteReader reader(bytes_of(bytes), "f");
  ProtobufMessage message(reader);
  ASSERT_TRUE(message.next());
  EXPECT_EQ(message.integer(), -5);
}

TEST(ProtobufWire, refuses_a_length_beyond_the_message) {
  EXPECT_THAT(refusal("\x12\x7f"
                      "abc"),
              HasSubstr("127 bytes where 3 are left"));
}

TEST(ProtobufWire, refuses_numbers_of_more_than_64_bits) {
  EXPECT_THAT(refusal("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), HasSubstr("more than 64 bits"));
}

TEST(ProtobufWire, refuses_groups_and_field_0) {
  EXPECT_THAT(refusal("\x0b"), HasSubstr("wire type 3"));
  EXPECT_THAT(refusal(std::string("\x00\x00", 2)), HasSubstr("field number 0"));
}

TEST(ProtobufWire, keeps_an_inner_message_within_the_outer) {
  const auto outer = Message()
                         .text(1,
                               "\x0a\x05"
                               "ab")
                         .number(2, 7)
                         .bytes();  // the inner text claims 5 bytes of 2
  ByteReader reader(bytes_of(outer), "f");
  ProtobufMessage message(reader);
  ASSERT_TRUE(message.next());
  auto inner = message.message();
  ASSERT_TRUE(inner.next());
  EXPECT_THAT(error_of([&] { inner.text(); }).what(), HasSubstr("5 bytes where 2 are left"));
}

TEST(ProtobufWire, stops_lists_at_their_limit) {
  const auto bytes = Message().text(8, std::string(100, '\x01')).bytes();
  ByteReader reader(bytes_of(bytes), "f");
  ProtobufMessage message(reader);
  ASSERT_TRUE(message.next());
  std::vector<std::int64_t> list;
  EXPECT_THAT(error_of([&] { message.append(list, 99); }).what(), HasSubstr("at most 99"));
}

}  // namespace
}  // namespace compress
