#include "tests/report/sample.h"

#include <fmt/format.h>

#include <cmath>

namespace compress {
namespace {

const std::vector<std::string> kClasses = {"siren",   "clock tick", "dog bark", "rain",    "engine",
                                           "rooster", "sea waves",  "sneeze",   "crackle", "helicopter"};

std::vector<LayerChange> sample_layers() {
  std::vector<LayerChange> layers;
  const std::vector<std::pair<std::int64_t, std::int64_t>> widths = {
      {8, 5},    {64, 32},  {32, 12},  {64, 23},  {64, 18},  {128, 38},
      {128, 43}, {256, 62}, {256, 58}, {512, 77}, {512, 37}, {10, 10}};
  std::int64_t in_before = 1, in_after = 1;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto [before, after] = widths[i];
    layers.push_back({fmt::format("conv{}", i + 1),
                      "conv2d",
                      {1, before, 32, 302},
                      {1, after, 32, 302},
                      9 * in_before * before,
                      9 * in_after * after,
                      9 * 9664 * in_before * before,
                      9 * 9664 * in_after * after});
    in_before = before;
    in_after = after;
  }
  layers.push_back({"pool", "max_pool2d", {1, 512, 2, 4}, {1, 37, 2, 4}, 0, 0, 0, 0});
  return layers;
}

std::vector<TrainingPoint> sample_training() {
  std::vector<TrainingPoint> points;
  for (const auto& [stage, epochs, start] :
       {std::tuple{"sparsify", 12, 1.4}, std::tuple{"fine-tune 1", 6, 1.1},
        std::tuple{"fine-tune 2", 20, 0.9}, std::tuple{"settle", 1, 0.3}}) {
    for (int i = 1; i <= epochs; ++i) {
      const double loss = start * std::exp(-0.12 * i) + 0.15 + 0.02 * std::sin(3.0 * i);
      points.push_back({stage, i, loss, 1 - 0.5 * loss, 0.97 - 0.55 * loss, 0.1 * std::pow(0.9, i)});
    }
  }
  points.back().train_accuracy.reset();
  return points;
}

ConfusionMatrix sample_confusion() {
  ConfusionMatrix matrix{kClasses, {}};
  for (std::size_t t = 0; t < kClasses.size(); ++t) {
    matrix.counts.emplace_back(kClasses.size(), 0);
    matrix.counts[t][t] = 40 - static_cast<std::int64_t>(t);
    matrix.counts[t][(t + 3) % kClasses.size()] = static_cast<std::int64_t>(t);
  }
  return matrix;
}

}  // namespace

RunReport sample_report() {
  RunReport report;
  report.name = "demo";
  report.started = "2026-01-31T12:00:00Z";
  report.recipe = "model:\n  name: \"<net> & co\"\nprune:\n  budget: {params: 97.22%}\n";
  report.seed = 18446744073709551615u;
  report.threads = 2;
  report.machine = "x86_64, 2 cores";
  report.stages = {{"prune", 12.5}, {"fine-tune", 183.2}, {"quantize", 8.1}, {"export", 0.4}, {"verify", 21}};
  report.networks = {{"original", 4735378, 136106000, 18941512, 4194304, 0.985, 394, 400},
                     {"pruned", 131474, 17466462, 525896, 1208528, 0.9725, 389, 400},
                     {"int8", 131474, 17466462, 134600, 302132, 0.97, 388, 400},
                     {"C", 131474, 17466462, 153112, 309002, 0.97, 388, 400}};
  report.layers = sample_layers();
  report.groups = {{"conv1.out", 8, 5, ""}, {"fc.in", 512, 512, "pinned: softmax over the classes"}};
  report.training = sample_training();
  for (int i = 1; i <= 12; ++i)
    report.quantization.push_back(
        {fmt::format("conv{}", i), 44.0 - 1.7 * i, 0.99995 - 1e-5 * i, 0.013 * i, 50.0 - i});
  report.quantization.push_back({"permute", std::nullopt, 1, 0, std::nullopt});
  report.confusion = sample_confusion();
  report.checks = {
      {"pruned network against the masked network", Verdict::passed, "largest difference 3.1e-7"},
      {"int8 reference against C on this machine", Verdict::passed, "800 crops, every byte equal"},
      {"int8 reference against C on a Cortex-M4", Verdict::skipped, "qemu-system-arm is not installed"},
      {"accuracy gate", Verdict::failed, "97.0 % of at least 98.0 %"}};
  report.memory_plan = {
      {"input", 0, 30225, 0, 1},   {"conv1.out", 30272, 60440, 1, 2}, {"conv2.out", 90752, 218400, 2, 3},
      {"pool.out", 0, 9664, 3, 4}, {"conv3.out", 9664, 115968, 4, 5}, {"conv4.out", 125632, 55568, 5, 6},
      {"logits", 0, 10, 6, 7}};
  report.files = {{"report.json", 81231, "this report as JSON"}, {"c/model.c", 312312, "the network as C99"}};
  report.notes = {"the test part is small: 400 clips"};
  return report;
}

}  // namespace compress
