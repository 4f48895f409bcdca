#include "libcompress/graph/ops/rules.h"

#include <fmt/format.h>

#include <algorithm>

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

std::int64_t expect_axis(const OpCall& call, std::string_view name, std::int64_t least) {
  const auto axis = call.attributes.integer(name);
  const auto rank = static_cast<std::int64_t>(call.input(0).size());
  if (axis < least || axis >= rank)
    bad_call(call, fmt::format("{} {}", name, axis), fmt::format("{} to {}", least, rank - 1));
  return axis;
}

std::vector<std::int64_t> integers_or(const OpCall& call, std::string_view name, std::size_t size,
                                      std::int64_t minimum, std::int64_t fallback) {
  if (call.attributes.integers(name).empty()) return std::vector<std::int64_t>(size, fallback);
  return expect_integers(call, name, size, minimum);
}

const std::string& expect_choice(const OpCall& call, std::string_view name,
                                 const std::vector<std::string>& allowed) {
  const auto& text = call.attributes.text(name);
  if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
    bad_call(call, fmt::format("{} '{}'", name, text), fmt::format("{}", fmt::join(allowed, ", ")));
  return text;
}

Shape broadcast_shape(const OpCall& call) {
  Shape output;
  for (const auto& input : call.inputs) output.resize(std::max(output.size(), input.size()), 1);
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const auto& input = call.input(i);
    const auto shift = output.size() - input.size();
    for (std::size_t axis = 0; axis < input.size(); ++axis) {
      auto& extent = output[shift + axis];
      if (extent != input[axis] && extent != 1 && input[axis] != 1)
        bad_call(call, fmt::format("shapes {} and {}", to_string(call.input(0)), to_string(input)),
                 "extents that are equal or 1");
      extent = std::max(extent, input[axis]);
    }
  }
  return output;
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
