#include "libcompress/base/checked.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();

TEST(Checked, arithmetic_gives_the_result_when_it_fits) {
  EXPECT_EQ(checked_mul(most / 2, 2, "x"), most - 1);
  EXPECT_EQ(checked_mul(-3, 4, "x"), -12);
  EXPECT_EQ(checked_add(most - 1, 1, "x"), most);
}

TEST(Checked, overflow_is_an_error_of_the_input_naming_the_thing) {
  try {
    checked_mul(most / 2 + 1, 2, "tensor 'w'");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("tensor 'w'"), std::string::npos);
  }
  EXPECT_THROW(checked_add(most, 1, "x"), Error);
  EXPECT_THROW(checked_add(std::numeric_limits<std::int64_t>::min(), -1, "x"), Error);
}

TEST(Checked, product_of_no_extents_is_one) { EXPECT_EQ(checked_product({}, "x"), 1); }

TEST(Checked, product_refuses_negative_and_huge_extents) {
  const auto product = [](std::vector<std::int64_t> extents) { return checked_product(extents, "x"); };
  EXPECT_EQ(product({2, 3, 4}), 24);
  EXPECT_EQ(product({2, 0, 4}), 0);
  EXPECT_THROW(product({2, -1}), Error);
  EXPECT_THROW(product({(std::int64_t{1} << 40) + 1}), Error);
  EXPECT_THROW(product({std::int64_t{1} << 40, std::int64_t{1} << 40}), Error);
}

}  // namespace
}  // namespace compress
