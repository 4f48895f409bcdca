#include "libcompress/import/network_maker.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

using ::testing::ElementsAre;

TEST(NetworkMaker, makes_names_unique_by_a_number) {
  NetworkMaker maker(0);
  const auto x = maker.add_input("x", {1, 2});
  maker.add_node("relu", "x", {x}, {});
  maker.add_node("relu", "x", {x}, {});
  std::vector<std::string> names;
  for (const auto& value : maker.graph().values()) names.push_back(value.name);
  EXPECT_THAT(names, ElementsAre("x", "x_1", "x_2"));
}

TEST(NetworkMaker, refuses_values_beyond_2_to_the_31) {
  NetworkMaker maker(0);
  EXPECT_THROW(maker.add_input("x", {1, 1 << 20, 1 << 20}), Error);
  const auto x = maker.add_input("x", {1, 1, 1});
  EXPECT_THROW(maker.add_node("expand", "y", {x}, {{"shape", Shape{1, 1 << 20, 1 << 20}}}), Error);
}

TEST(NetworkMaker, refuses_more_constants_than_the_file_can_need) {
  NetworkMaker maker(10);
  maker.charge({1 << 24}, "constant");
  EXPECT_THROW(maker.charge({1 << 10}, "constant"), Error);
}

TEST(NetworkMaker, makes_names_readable) {
  EXPECT_EQ(readable_name("a\nb"), "a_b");
  EXPECT_EQ(readable_name("\xff"), "unreadable");
  EXPECT_EQ(readable_name(std::string(119, 'a') + "\xc3\xa9"), std::string(119, 'a'));
}

}  // namespace
}  // namespace compress
