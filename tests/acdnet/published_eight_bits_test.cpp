// The published Micro-ACDNet in 8 bits with default settings, on the recordings it was validated on.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "libcompress/import/checkpoint.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/quant/reference.h"
#include "plugins/built_in.h"

namespace compress {
namespace {

const std::filesystem::path kData = std::filesystem::path(COMPRESS_SOURCE_DIR) / "../shared/data";

TEST(PublishedAcdNet, keeps_its_68_of_80_clips_in_8_bits_calibrated_on_64_crops_of_fold_1) {
  if (!std::filesystem::exists(kData / "esc10") || !std::filesystem::exists(kData / "acdnet-published"))
    GTEST_SKIP() << "the published data is not here";
  const auto plugins = built_in_plugins();
  const auto checkpoint =
      read_checkpoint(kData / "acdnet-published" / "micro_acdnet_pruned_trained_fold4_86.00.pt");
  const auto model = plugins.models.make("acdnet", {})->from_checkpoint(checkpoint);
  const auto data = plugins.datasets.make("esc", {{"path", (kData / "esc10").string()},
                                                  {"train_folds", std::vector<std::int64_t>{1}},
                                                  {"test_folds", std::vector<std::int64_t>{4}},
                                                  {"classes", std::int64_t{50}},
                                                  {"cache", testing::TempDir() + "libcompress_published"}});
  const QuantizeOptions defaults;
  ArraySource inputs(sample_views(*data, Part::train, defaults.samples, 1),
                     element_count(data->input_shape()));
  const auto begin = std::chrono::steady_clock::now();
  const auto made = quantize_as(defaults, model, inputs, plugins);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::cout << "quantized in " << seconds.count() << " s\n";

  const ReferenceExecutor executor(made.graph);
  const auto found = evaluate_int8(
      made.graph, [&](const std::vector<std::int8_t>& input) { return executor.run(input); }, *data, {});
  EXPECT_EQ(found.total, 80);
  EXPECT_GE(found.correct, 68);
  std::cout << found.correct << " of 80 right\n";
}

}  // namespace
}  // namespace compress
