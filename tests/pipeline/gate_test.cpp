#include "libcompress/pipeline/gate.h"

#include <gmock/gmock.h>

namespace compress {
namespace {

using testing::HasSubstr;

TEST(Gate, allows_a_loss_up_to_its_points) {
  const GateOptions gate{.max_drop = 5};
  EXPECT_FALSE(missed(gate, 0.9, 0.9));
  EXPECT_FALSE(missed(gate, 0.9, 1.0));
  EXPECT_FALSE(missed(gate, 0.9, 0.85));  // 5.000000000000004 points in floating point
  const auto complaint = missed(gate, 0.9, 0.84);
  ASSERT_TRUE(complaint);
  EXPECT_EQ(complaint->where, "gate.max_drop");
  EXPECT_THAT(to_string(*complaint), HasSubstr("6.00 points lost; allowed: 5 at most"));
}

TEST(Gate, wants_its_accuracy_whatever_the_unpruned_network_has) {
  const GateOptions gate{.min_accuracy = 70};
  EXPECT_FALSE(missed(gate, 0.2, 0.7));
  const auto complaint = missed(gate, 0.2, 0.69);
  ASSERT_TRUE(complaint);
  EXPECT_THAT(to_string(*complaint), HasSubstr("gate.min_accuracy: 69.00 %; allowed: 70 % or more"));
}

TEST(Gate, wants_both_at_once) {
  const GateOptions gate{.max_drop = 5, .min_accuracy = 70};
  EXPECT_FALSE(missed(gate, 0.74, 0.7));
  EXPECT_EQ(missed(gate, 0.9, 0.8)->where, "gate.max_drop");
  EXPECT_EQ(missed(gate, 0.7, 0.68)->where, "gate.min_accuracy");
}

}  // namespace
}  // namespace compress
