// The published Micro-ACDNet on the recordings it was validated on, against what stock PyTorch gets.
#include <gtest/gtest.h>

#include <filesystem>

#include "libcompress/import/checkpoint.h"
#include "libcompress/train/evaluate.h"
#include "models/acdnet/acdnet.h"
#include "plugins/datasets/datasets.h"

namespace compress {
namespace {

const std::filesystem::path kData = std::filesystem::path(COMPRESS_SOURCE_DIR) / "../shared/data";

TEST(PublishedAcdNet, gets_68_of_the_80_clips_of_fold_4_right) {
  if (!std::filesystem::exists(kData / "esc10") || !std::filesystem::exists(kData / "acdnet-published"))
    GTEST_SKIP() << "the published data is not here";
  Catalog<ModelSource> models("model");
  register_acdnet(models);
  const auto checkpoint =
      read_checkpoint(kData / "acdnet-published" / "micro_acdnet_pruned_trained_fold4_86.00.pt");
  const auto model = models.make("acdnet", {})->from_checkpoint(checkpoint);

  Catalog<DataSet> sets("data set");
  register_esc(sets);
  const auto data = sets.make("esc", {{"path", (kData / "esc10").string()},
                                      {"test_folds", std::vector<std::int64_t>{4}},
                                      {"classes", std::int64_t{50}},
                                      {"cache", testing::TempDir() + "libcompress_published"}});
  const auto found = evaluate(model, *data, Part::test);
  EXPECT_EQ(found.total, 80);
  EXPECT_GE(found.correct, 68);
}

}  // namespace
}  // namespace compress
