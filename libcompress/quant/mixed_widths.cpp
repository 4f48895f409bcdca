#include "libcompress/quant/mixed_widths.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/analysis/groups.h"
#include "libcompress/base/error.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/reference.h"
#include "libcompress/runtime/executor.h"

namespace compress {
namespace {

using Names = std::set<std::string, std::less<>>;

/// Nodes that may have 16 bits, each name once, in order of execution.
std::vector<std::string> candidates_of(const QuantizedGraph& graph) {
  std::vector<std::string> names;
  Names without;
  for (const auto& node : graph.nodes) {
    if (!has_int16_form(node.op))
      without.insert(node.name);
    else if (std::find(names.begin(), names.end(), node.name) == names.end())
      names.push_back(node.name);
  }
  std::erase_if(names, [&](const auto& name) { return without.contains(name); });
  return names;
}

Names named(const QuantizedGraph& graph, const std::vector<std::string>& patterns) {
  const auto candidates = candidates_of(graph);
  Names names;
  for (const auto& pattern : patterns) {
    bool any = false;
    for (const auto& name : candidates) {
      if (!matches(pattern, name)) continue;
      any = true;
      names.insert(name);
    }
    if (any) continue;
    throw Error(ErrorKind::usage,
                {"int16", fmt::format("'{}' matches no node that may have 16 bits", pattern),
                 fmt::format("names or patterns (*, ?) of: {}", fmt::join(candidates, ", ")), ""});
  }
  return names;
}

/// The SQNR of the first output over some inputs.
class Precision {
 public:
  Precision(const Model& folded, const QuantizedGraph& graph, std::span<const float> inputs,
            std::int64_t count) {
    Executor executor(folded);
    const auto size = static_cast<std::size_t>(executor.input_size());
    if (count < 1 || inputs.size() != size * static_cast<std::size_t>(count))
      throw Error(ErrorKind::usage, {"int16", fmt::format("{} numbers for {} inputs", inputs.size(), count),
                                     fmt::format("{} each, one input or more", size), ""});
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const auto input = inputs.subspan(i * size, size);
      exact_.push_back(executor.run(input, 1));
      levels_.push_back(quantize_input(graph, input));  // ends keep their scales
    }
  }

  double of(const QuantizedGraph& graph) const {
    const ReferenceExecutor executor(graph);
    double signal = 0, error = 0;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      const auto found = dequantize_output(graph, executor.run(levels_[i]));
      for (std::size_t k = 0; k < found.size(); ++k) {
        const double exact = exact_[i][k], apart = exact - static_cast<double>(found[k]);
        signal += exact * exact;
        error += apart * apart;
      }
    }
    return sqnr_db(signal, error);
  }

 private:
  std::vector<std::vector<float>> exact_;
  std::vector<std::vector<std::int8_t>> levels_;
};

class Search {
 public:
  Search(const QuantizedGraph& graph, const Precision& precision, const Names& fixed, double wanted_db,
         Reporter& reporter)
      : graph_(graph), precision_(precision), fixed_(fixed), reporter_(reporter) {
    search_.wanted_db = wanted_db;
  }

  WidthSearch run() {
    const auto candidates = candidates_of(graph_);
    search_.narrow_db = search_.widest_db = search_.reached_db = with(fixed_);
    if (search_.narrow_db >= search_.wanted_db) return search_;
    Names wide(candidates.begin(), candidates.end());
    search_.widest_db = with(wide);
    if (search_.widest_db < search_.wanted_db)
      throw Error(ErrorKind::usage, {"int16_sqnr",
                                     fmt::format("{:.1f} dB at the output with all {} nodes in 16 bits",
                                                 search_.widest_db, candidates.size()),
                                     fmt::format("{:g} dB wanted", search_.wanted_db),
                                     "ask for less: ends of the network and softmax stay in 8 bits"});
    for (const auto& name : candidates) {
      auto others = wide;
      others.erase(name);
      search_.nodes.push_back({name, with(others), true});
      progress(candidates.size());
    }
    take_back(std::move(wide));
    return search_;
  }

 private:
  double with(const Names& wide) const { return precision_.of(widened(graph_, wide)); }

  void take_back(Names wide) {
    std::vector<NodeWidth*> order;
    for (auto& node : search_.nodes)
      if (!fixed_.contains(node.node)) order.push_back(&node);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto* a, const auto* b) { return a->without_db > b->without_db; });
    search_.reached_db = search_.widest_db;
    for (auto* node : order) {
      wide.erase(node->node);
      const auto reached = with(wide);
      node->wide = reached < search_.wanted_db;
      if (node->wide)
        wide.insert(node->node);
      else
        search_.reached_db = reached;
      progress(search_.nodes.size());
    }
  }

  void progress(std::size_t nodes) {
    stop_if_requested(reporter_);
    reporter_.progress("16 bits", ++steps_, static_cast<std::int64_t>(2 * nodes - fixed_.size()), "");
  }

  const QuantizedGraph& graph_;
  const Precision& precision_;
  const Names& fixed_;
  Reporter& reporter_;
  std::int64_t steps_ = 0;
  WidthSearch search_;
};

}  // namespace

ChosenWidths choose_widths(const Model& folded, QuantizedGraph graph, const WidthRequest& request,
                           std::span<const float> inputs, std::int64_t count, Reporter& reporter) {
  ChosenWidths chosen{{}, named(graph, request.nodes), {}};
  if (request.sqnr_db) {
    const Precision precision(folded, graph, inputs, count);
    chosen.search = Search(graph, precision, chosen.wide, *request.sqnr_db, reporter).run();
    for (const auto& node : chosen.search->nodes)
      if (node.wide) chosen.wide.insert(node.node);
  }
  chosen.graph = widened(graph, chosen.wide);
  return chosen;
}

std::string to_text(WidthSearch search) {
  std::stable_sort(search.nodes.begin(), search.nodes.end(),
                   [](const auto& a, const auto& b) { return a.without_db < b.without_db; });
  std::string text = fmt::format("{:<28} {:>16} {:>8}\n", "in 16 bits", "without it, dB", "chosen");
  for (const auto& node : search.nodes)
    text += fmt::format("{:<28} {:>16.1f} {:>8}\n", node.node, node.without_db, node.wide ? "yes" : "");
  return text + fmt::format("output SQNR {:.1f} dB ({:g} wanted; {:.1f} without, {:.1f} with all)\n",
                            search.reached_db, search.wanted_db, search.narrow_db, search.widest_db);
}

}  // namespace compress
