#include "libcompress/graph/op_table.h"

#include <fmt/format.h>

#include "libcompress/graph/attribute_text.h"

namespace compress {
namespace {

constexpr const char* kIntroduction = R"(# Operators

What a graph can be made of. `?` marks operands that may be left out, `...` those that may come more than once.
Values are float32 and may have any kind: a weight may be computed, a constant may be added. Dimension 0 of
every input of the network is the batch; no operator but `reshape` knows where it went. Padding is all begins,
then all ends; negative axes do not exist.

This page is made from the op table by `libcompress plugins --ops --markdown`; a test compares both.
)";

/// A bar ends a cell, so it is written with a backslash.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string attributes_of(const Op& op) {
  std::string text;
  for (const auto& attribute : op.attributes)
    text += fmt::format("{}`{}`: {}", text.empty() ? "" : "<br>", default_of(attribute), attribute.help);
  return text;
}

}  // namespace

std::vector<OpFamily> op_families() {
  return {{"Convolutions and products", convolution_ops()},
          {"Norms", normalization_ops()},
          {"Functions of one value", activation_ops()},
          {"Functions of two values", binary_ops()},
          {"Pools", pooling_ops()},
          {"Reductions", reduction_ops()},
          {"Movement", movement_ops()},
          {"Resizing", resizing_ops()}};
}

std::string signature_of(const Op& op) {
  std::string operands;
  for (const auto& operand : op.operands)
    operands += fmt::format("{}{}{}", operands.empty() ? "" : ", ", operand.name,
                            operand.variadic   ? "..."
                            : operand.optional ? "?"
                                               : "");
  return fmt::format("{}({})", op.name, operands);
}

std::string default_of(const AttributeSpec& attribute) {
  if (attribute.required) return attribute.name;
  const auto* number = std::get_if<double>(&attribute.fallback);
  return fmt::format("{} = {}", attribute.name,
                     number ? fmt::format("{:.4g}", *number) : to_text(attribute.fallback));
}

std::string op_table_markdown() {
  std::string page = kIntroduction;
  for (const auto& family : op_families()) {
    page +=
        fmt::format("\n## {}\n| operator | attributes | what it does |\n| --- | --- | --- |\n", family.title);
    for (const auto& op : family.ops)
      page +=
          fmt::format("| `{}` | {} | {} |\n", signature_of(op), cell(attributes_of(op)), cell(op.summary));
  }
  return page;
}

}  // namespace compress
