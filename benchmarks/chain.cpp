// A chain of convolutions from graph to smaller graph: what each layer costs, and whether that grows.
//
// Usage: benchmark_chain LAYERS [CHANNELS]. Writes one JSON object of seconds (processor time) to
// standard output.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "libcompress/analysis/cost.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/base/random.h"
#include "libcompress/graph/graph.h"
#include "libcompress/strategy/select.h"
#include "libcompress/surgery/surgery.h"
#include "plugins/criteria/criteria.h"

namespace {

using namespace compress;

/// Seconds since it was last asked.
class Stopwatch {
 public:
  double lap() {
    const auto now = std::clock();
    const double seconds = static_cast<double>(now - last_) / CLOCKS_PER_SEC;
    last_ = now;
    return seconds;
  }

 private:
  std::clock_t last_ = std::clock();
};

/// `layers` times convolution (3 x 3, with bias) and ReLU.
Graph chain(int layers, std::int64_t channels) {
  Graph graph;
  auto value = graph.add_input("input", {1, 3, 8, 8});
  for (int i = 0; i < layers; ++i) {
    const auto name = "conv" + std::to_string(i);
    const auto inputs = graph.value(value).shape[1];
    const auto weight = graph.add_parameter(name + ".weight", {channels, inputs, 3, 3});
    const auto bias = graph.add_parameter(name + ".bias", {channels});
    value = graph.add_node("conv", name, {value, weight, bias},
                           {{"padding", std::vector<std::int64_t>{1, 1, 1, 1}}});
    value = graph.add_node("relu", name + ".relu", {value});
  }
  graph.set_outputs({value});
  return graph;
}

StateDict draw_weights(const Graph& graph) {
  Random random(1);
  StateDict weights;
  for (const auto id : graph.parameters()) {
    const auto& value = graph.value(id);
    Tensor tensor(DType::float32, value.shape);
    for (auto& element : tensor.as<float>()) element = static_cast<float>(random.normal());
    weights.emplace(value.name, std::move(tensor));
  }
  return weights;
}

std::int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

int main(int count, char** words) {
  const int layers = count > 1 ? std::atoi(words[1]) : 1000;
  const int channels = count > 2 ? std::atoi(words[2]) : 16;
  if (layers < 1 || channels < 2) {
    std::fprintf(stderr, "usage: benchmark_chain LAYERS [CHANNELS]\n");
    return 2;
  }
  Catalog<Criterion> criteria("criterion");
  register_magnitude(criteria);
  const auto criterion = criteria.make("magnitude", {});
  Stopwatch watch;
  Model model{"chain", chain(layers, channels), {}, {}};
  const double build = watch.lap();
  model.weights = draw_weights(model.graph);
  const auto before = peak_kilobytes();
  watch.lap();
  const auto groups = find_groups(model.graph);
  const double find = watch.lap();
  const auto scores = criterion->score_all(groups, {model});
  const double score = watch.lap();
  const auto plan = select_fraction({model, groups, scores, {}, {}}, 0.5);
  const double select = watch.lap();
  const auto pruned = prune(model, groups, plan);
  const double cut = watch.lap();
  std::printf(R"({"layers": %d, "channels": %d, "build": %.6f, "groups": %.6f, "score": %.6f, "plan": %.6f, )"
              R"("prune": %.6f, "peak_kilobytes": %ld, "params": %ld, "params_after": %ld})"
              "\n",
              layers, channels, build, find, score, select, cut, static_cast<long>(peak_kilobytes() - before),
              static_cast<long>(cost_of(model.graph).params),
              static_cast<long>(cost_of(pruned.graph).params));
  return 0;
}
