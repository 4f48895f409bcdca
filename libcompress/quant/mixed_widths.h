// Which nodes of an 8-bit network keep activations of 16 bits: those that a caller names, or the few that an
// output of a wanted precision needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/quant/widen.h"

namespace compress {

/// What a caller asks for; nothing leaves all in 8 bits.
struct WidthRequest {
  std::vector<std::string> nodes{};  ///< patterns (*, ?) of nodes; those without a 16-bit form stay
  std::optional<double> sqnr_db{};   ///< of the first output beside float32, from more nodes as needed

  bool any() const { return !nodes.empty() || sqnr_db.has_value(); }
};

/// One node that may have 16 bits.
struct NodeWidth {
  std::string node;
  double without_db = 0;  ///< SQNR of the output with all of them in 16 bits but this one
  bool wide = false;      ///< has them in the end
};

/// How a search went. SQNR is that of the first output, in the reference executor, beside float32.
struct WidthSearch {
  double wanted_db = 0;
  double narrow_db = 0;            ///< with what the caller named alone
  double widest_db = 0;            ///< with all nodes that have a 16-bit form
  double reached_db = 0;           ///< with those that were chosen
  std::vector<NodeWidth> nodes{};  ///< in order of execution; empty where `narrow_db` does already
};

struct ChosenWidths {
  QuantizedGraph graph;
  std::set<std::string, std::less<>> wide;  ///< nodes with 16 bits
  std::optional<WidthSearch> search;        ///< where an SQNR was wanted
};

/// `graph` as `request` wants it; `folded` is what it was lowered from. The search starts with every node in
/// 16 bits and takes them back one by one, the one first that costs least by itself, as long as the output
/// keeps the wanted SQNR: two passes over the nodes, each of which runs `count` inputs ([count, input shape
/// without its batch...], float32). It needs none for names alone.
///
/// Error of kind usage for a pattern that matches no node with a 16-bit form, or an SQNR that all of them
/// together do not reach.
ChosenWidths choose_widths(const Model& folded, QuantizedGraph graph, const WidthRequest& request,
                           std::span<const float> inputs, std::int64_t count,
                           Reporter& reporter = silent_reporter());

/// A table for people, the node first whose 16 bits matter most.
std::string to_text(WidthSearch search);

}  // namespace compress
