#include "libcompress/export/call_graph.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace compress {
namespace {

/// The text between the quotes behind `key`, in which GCC escapes nothing but writes \n for line ends.
std::string quoted(const std::string& line, const std::string& key) {
  const auto found = line.find(key + ": \"");
  if (found == line.npos) return "";
  const auto begin = found + key.size() + 3;
  return line.substr(begin, line.find('"', begin) - begin);
}

/// The number before " bytes (", or -1.
std::int64_t bytes_in(const std::string& label) {
  const auto end = label.find(" bytes (");
  if (end == label.npos) return -1;
  const auto begin = label.rfind("\\n", end);
  return std::strtoll(label.c_str() + (begin == label.npos ? 0 : begin + 2), nullptr, 10);
}

}  // namespace

void CallGraph::add(std::string_view ci_text) {
  std::istringstream lines{std::string(ci_text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("node:")) {
      auto& function = functions_[quoted(line, "title")];
      const auto label = quoted(line, "label");
      function.frame_bytes = std::max(function.frame_bytes, bytes_in(label));
      function.grows = function.grows || label.find(" bytes (dynamic)") != label.npos;
    } else if (line.starts_with("edge:")) {
      functions_[quoted(line, "sourcename")].calls.insert(quoted(line, "targetname"));
    }
  }
}

struct CallGraph::Walk {
  const CallGraph& graph;
  Depth result{};
  std::map<std::string, std::int64_t> done{};
  std::set<std::string> open{};

  std::int64_t deepest(const std::string& name) {
    if (const auto found = done.find(name); found != done.end()) return found->second;
    if (!open.insert(name).second) {
      result.bounded = false;
      return 0;
    }
    const auto found = graph.functions_.find(name);
    const bool known = found != graph.functions_.end() && found->second.frame_bytes >= 0;
    if (name == "__indirect_call") {
      result.bounded = false;
    } else if (!known) {
      result.unknown.insert(name);
    }
    std::int64_t below = 0;
    if (known) {
      if (found->second.grows) result.bounded = false;
      for (const auto& callee : found->second.calls) below = std::max(below, deepest(callee));
      below += found->second.frame_bytes;
    }
    open.erase(name);
    return done[name] = below;
  }
};

CallGraph::Depth CallGraph::depth_of(const std::string& function) const {
  Walk walk{*this};
  walk.result.bytes = walk.deepest(function);
  return walk.result;
}

}  // namespace compress
