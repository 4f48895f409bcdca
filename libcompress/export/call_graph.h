// How deep the stack of a compiled program can get: the frames of its functions along the deepest chain of
// calls, as GCC writes them with -fcallgraph-info=su.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace compress {

class CallGraph {
 public:
  /// Adds what a .ci file says. Functions of several files meet by their names.
  void add(std::string_view ci_text);

  struct Depth {
    std::int64_t bytes = 0;           ///< of all known frames along the deepest chain
    std::set<std::string> unknown{};  ///< functions it may reach of which no frame is known (libraries)
    bool bounded = true;              ///< false: a recursion, a call through a pointer or a frame that grows
  };

  /// From the start of `function`, its own frame included.
  Depth depth_of(const std::string& function) const;

 private:
  struct Function {
    std::int64_t frame_bytes = -1;  ///< -1: not known
    bool grows = false;
    std::set<std::string> calls{};
  };
  struct Walk;
  std::map<std::string, Function> functions_;
};

}  // namespace compress
