#include "libcompress/base/error.h"

#include <gtest/gtest.h>

#include "libcompress/base/progress.h"

namespace compress {
namespace {

TEST(Error, says_where_what_what_is_allowed_and_what_to_do) {
  const Error error(ErrorKind::recipe, {"r.yaml:3:5", "-1", "0 to 10", "choose a larger number"});
  EXPECT_STREQ(error.what(), "r.yaml:3:5: -1; allowed: 0 to 10; choose a larger number");
  EXPECT_EQ(error.exit_code(), 3);
  EXPECT_STREQ(name_of(error.kind()), "recipe");
}

TEST(Error, leaves_empty_parts_out) {
  EXPECT_EQ(to_string(Complaint{"", "found", "", "remedy"}), "found; remedy");
  EXPECT_EQ(to_string(Complaint{"where", "found", "", ""}), "where: found");
}

struct Stopper : Reporter {
  bool stop_requested() override { return true; }
};

TEST(Progress, a_request_to_stop_is_an_error_of_kind_interrupted) {
  Stopper stopper;
  try {
    stop_if_requested(stopper);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 130);
  }
  EXPECT_NO_THROW(stop_if_requested(silent_reporter()));
}

}  // namespace
}  // namespace compress
