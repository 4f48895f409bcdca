#include "libcompress/graph/ops/rules.h"

#include <fmt/format.h>

namespace compress::rules {

void bad_call(const OpCall& call, std::string found, std::string allowed) {
  throw Error(ErrorKind::input,
              {fmt::format("node '{}'", call.node_name), std::move(found), std::move(allowed), ""});
}

void expect_rank(const OpCall& call, std::size_t i, std::size_t rank) {
  if (call.input(i).size() != rank)
    bad_call(call, fmt::format("input {} of shape {}", i, to_string(call.input(i))),
             fmt::format("rank {}", rank));
}

void expect_rank_at_least(const OpCall& call, std::size_t i, std::size_t rank) {
  if (call.input(i).size() < rank)
    bad_call(call, fmt::format("input {} of shape {}", i, to_string(call.input(i))),
             fmt::format("rank {} or more", rank));
}

const std::vector<std::int64_t>& expect_integers(const OpCall& call, std::string_view name, std::size_t size,
                                                 std::int64_t minimum) {
  const auto& list = call.attributes.integers(name);
  if (list.size() != size)
    bad_call(call, fmt::format("{} with {} elements", name, list.size()), fmt::format("{}", size));
  for (const auto item : list) {
    if (item < minimum || item > (std::int64_t{1} << 31))
      bad_call(call, fmt::format("{} holds {}", name, item), fmt::format("{} to 2^31", minimum));
  }
  return list;
}

std::int64_t window_extent(const OpCall& call, std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end, std::int64_t dilation) {
  const std::int64_t span = (kernel - 1) * dilation + 1;
  const std::int64_t padded = extent + pad_begin + pad_end;
  if (span > padded)
    bad_call(call, fmt::format("a window of {} over {} elements", span, padded), "a window that fits");
  return (padded - span) / stride + 1;
}

Shape same_shape(const OpCall& call) { return call.input(0); }

Cost one_op_an_element(const OpCall&, const Shape& output) { return {0, element_count(output)}; }

Cost free_of_charge(const OpCall&, const Shape&) { return {}; }

}  // namespace compress::rules
