#include "libcompress/import/onnx/fold.h"

#include <fmt/format.h>

#include <algorithm>

namespace compress::onnx {
namespace {

const std::vector<FoldRule>& rules() {
  static const std::vector<FoldRule> table = [] {
    std::vector<FoldRule> all;
    for (auto family : {generation_rules, arithmetic_rules, movement_rules, reduction_rules}) {
      const auto more = family();
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

const FoldRule* find_rule(const NodeRecord& node) {
  if (!node.domain.empty()) return nullptr;
  const auto found =
      std::find_if(rules().begin(), rules().end(), [&](const auto& rule) { return rule.name == node.op; });
  return found == rules().end() ? nullptr : &*found;
}

}  // namespace

bool is_float_at(const Call& call, std::size_t i) {
  const auto dtype = call.tensor(i).dtype();
  if (dtype == DType::boolean) call.refuse(fmt::format("booleans as input {}", i), "numbers");
  return dtype == DType::float32;
}

Shape common_shape(const Call& call, const Shape& a, const Shape& b) {
  const auto both = broadcast(a, b);
  if (!both)
    call.refuse(fmt::format("shapes {} and {}", to_string(a), to_string(b)), "shapes that broadcast");
  call.charge(*both);
  return *both;
}

bool fold(Call& call) {
  const auto* rule = find_rule(call.node());
  if (rule == nullptr || (rule->name == "Clip" && call.opset() < 11)) return false;
  rule->apply(call);
  return true;
}

bool is_foldable(const NodeRecord& node) { return find_rule(node) != nullptr; }

std::vector<std::string_view> foldable_operators() {
  std::vector<std::string_view> names;
  for (const auto& rule : rules()) names.push_back(rule.name);
  return names;
}

}  // namespace compress::onnx
