#include "libcompress/graph/flow.h"

#include <gmock/gmock.h>

namespace compress {
namespace {

using ::testing::ElementsAre;

TEST(IdLayer, repeats_along_every_axis_but_its_own) {
  const auto layer = IdLayer::along_axis({1, 3, 2, 2}, 1, {7, 8, 9});
  EXPECT_EQ(layer.varying_axis(), 1);
  EXPECT_EQ(layer.at({0, 2, 1, 0}), 9);
  EXPECT_EQ(layer.at({0, 2, 0, 1}), 9);
  EXPECT_THAT(layer.along(1), ElementsAre(7, 8, 9));
}

TEST(IdLayer, is_found_by_its_axis) {
  const IdLayers layers = {IdLayer::along_axis({1, 3, 2}, 1, {7, 8, 9}),
                           IdLayer::along_axis({1, 3, 2}, 2, {1, 2})};
  EXPECT_EQ(layer_along(layers, 2), &layers[1]);
  EXPECT_EQ(layer_along(layers, 0), nullptr);
}

}  // namespace
}  // namespace compress
