// Which axes shrink together: the pruning groups of a graph.
//
// Found by flowing cell ids through the graph (graph/flow.h): ids that meet are united, what is not
// understood is pinned. See docs/coupling.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

/// A list of lists of indices, in one piece of memory: a network has hundreds of thousands of them, most with
/// one index.
class IndexLists {
 public:
  using List = std::span<const std::int64_t>;

  IndexLists() = default;
  IndexLists(std::initializer_list<std::vector<std::int64_t>> lists)
      : IndexLists(std::vector<std::vector<std::int64_t>>(lists)) {}
  explicit IndexLists(const std::vector<std::vector<std::int64_t>>& lists);

  std::size_t size() const { return ends_.size(); }
  List operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {flat_.data() + begin, ends_[i] - begin};
  }
  List all() const { return flat_; }  ///< the lists one after the other

  void reserve(std::size_t lists);
  void add_list() { ends_.push_back(flat_.size()); }  ///< an empty one
  void add_to_last(std::int64_t index) {
    flat_.push_back(index);
    ++ends_.back();
  }

  bool operator==(const IndexLists&) const = default;
  std::vector<std::vector<std::int64_t>> as_vectors() const;

 private:
  std::vector<std::int64_t> flat_;
  std::vector<std::size_t> ends_;
};

/// An axis that shrinks with a group. `indices[i]` are the axis' indices that go when index i of the group
/// goes: one for a plain channel, several behind a flatten, none where only a part of the group reaches this
/// axis.
struct GroupMember {
  Axis axis;
  IndexLists indices;
};

/// Indices that can only be removed everywhere at once. Axes that no node makes (the network's input
/// channels, a kernel's window) belong to no group: nothing removes them. Named after the node that makes
/// them.
struct PruningGroup {
  std::string name;                  ///< "conv3"; unique, stable for the same graph
  std::int64_t size = 0;             ///< number of indices
  std::vector<GroupMember> members;  ///< axes of parameters and buffers, producer's first
  bool prunable = true;
  std::string reason;         ///< why not, in words, if it is not prunable
  bool spatial = false;       ///< its indices become rows or columns: exact twins do not exist for it
  std::int64_t smallest = 1;  ///< the least width at which every window behind still fits
};

struct GroupOptions {
  std::vector<std::string> ignore{};   ///< glob patterns of node names whose outputs keep their width
  std::vector<std::string> spatial{};  ///< nodes whose channels may go though they become height or width
};

/// All groups in topological order of their producers, prunable or not. Unknown means pinned, never guessed.
/// Error of kind recipe for a pattern that matches no node.
std::vector<PruningGroup> find_groups(const Graph& graph, const GroupOptions& options = {});

/// True if `name` matches the glob `pattern` (* and ?).
bool matches(std::string_view pattern, std::string_view name);

}  // namespace compress
