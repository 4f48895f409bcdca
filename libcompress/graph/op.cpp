#include "libcompress/graph/op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "libcompress/base/error.h"
#include "libcompress/base/options.h"

namespace compress {
namespace {

std::vector<Op> make_table() {
  std::vector<Op> table;
  for (auto family : {convolution_ops(), normalization_ops(), activation_ops(), binary_ops(), pooling_ops(),
                      reduction_ops(), movement_ops(), resizing_ops()})
    table.insert(table.end(), family.begin(), family.end());
  std::sort(table.begin(), table.end(), [](const Op& a, const Op& b) { return a.name < b.name; });
  return table;
}

const std::vector<Op>& table() {
  static const std::vector<Op> ops = make_table();
  return ops;
}

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace

const Op& find_op(std::string_view name, std::string_view node_name) {
  static const auto rows = [] {
    std::unordered_map<std::string_view, const Op*> by_name;
    for (const auto& op : table()) by_name.emplace(op.name, &op);
    return by_name;
  }();
  if (const auto found = rows.find(name); found != rows.end()) return *found->second;
  const auto known = names_of(table());
  const auto near = nearest_name(name, known);
  throw Error(ErrorKind::input, {fmt::format("node '{}'", node_name),
                                 fmt::format("operator '{}', which is not supported", name),
                                 fmt::format("{}", fmt::join(known, ", ")),
                                 near.empty() ? "" : fmt::format("did you mean '{}'?", near)});
}

std::span<const Op> all_ops() { return table(); }

Attributes checked_attributes(const Op& op, std::string_view node_name, const Attributes& given) {
  const auto where = fmt::format("node '{}'", node_name);
  for (const auto& [name, value] : given.items()) {
    const auto row = std::find_if(op.attributes.begin(), op.attributes.end(),
                                  [&wanted = name](const auto& a) { return a.name == wanted; });
    if (row == op.attributes.end())
      throw Error(ErrorKind::input, {where, fmt::format("attribute '{}' of operator '{}'", name, op.name),
                                     fmt::format("{}", fmt::join(names_of(op.attributes), ", ")), ""});
    if (row->fallback.index() != value.index())
      throw Error(ErrorKind::input,
                  {where, fmt::format("attribute '{}' of a wrong type", name), row->help, ""});
    const auto* number = std::get_if<double>(&value);
    if (number && !std::isfinite(*number))  // a file could not say it
      throw Error(ErrorKind::input,
                  {where, fmt::format("attribute '{}' of {}", name, *number), "finite numbers", ""});
  }
  Attributes complete = given;
  for (const auto& row : op.attributes) {
    if (given.has(row.name)) continue;
    if (row.required)
      throw Error(ErrorKind::input, {where, fmt::format("no attribute '{}'", row.name), row.help, ""});
    complete.set(row.name, row.fallback);
  }
  return complete;
}

}  // namespace compress
