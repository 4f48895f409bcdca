#include "libcompress/graph/flow.h"

#include <gmock/gmock.h>

namespace compress {
namespace {

using ::testing::ElementsAre;

TEST(IdLayer, shares_its_ids_with_copies_along_other_axes) {
  const IdLayer layer(1, {7, 8, 9}, true);
  const auto turned = layer.on(3).with_zero(false);
  EXPECT_EQ(turned.axis, 3);
  EXPECT_FALSE(turned.zero);
  EXPECT_EQ(turned.cells, layer.cells);
  EXPECT_TRUE(layer.zero);
}

TEST(IdLayer, is_found_by_its_axis) {
  const IdLayers layers = {{1, {7, 8, 9}, true}, {2, {1, 2}, true}, {1, {4, 5, 6}, false}};
  EXPECT_THAT(layers_along(layers, 1), ElementsAre(&layers[0], &layers[2]));
  EXPECT_TRUE(layers_along(layers, 0).empty());
}

}  // namespace
}  // namespace compress
