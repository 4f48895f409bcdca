// YAML as a tree of values with their places. Stricter than YAML: one document, no anchors, aliases, tags,
// tabs or keys given twice, and limits on size, depth and number of values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/base/options.h"

namespace compress {

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  using Entry = std::pair<YamlNode, YamlNode>;

  Kind kind = Kind::null;
  std::string where;  ///< "recipe.yaml:12:5", line and column (in bytes) from 1; or the command line argument
                      ///< it is from
  std::string text;   ///< of a scalar
  bool quoted = false;
  std::vector<YamlNode> items{};  ///< of a sequence
  std::vector<Entry> entries{};   ///< of a map: scalar key and value, in the order of the file

  /// The value of `key`, or nullptr.
  const YamlNode* find(std::string_view key) const;
  YamlNode* find(std::string_view key);
};

/// "a map", "a list", "an empty value", "'text'" with long text cut.
std::string described(const YamlNode& node);

struct Document {
  YamlNode root;
  std::vector<Complaint> complaints{};  ///< keys given twice (the first is kept), null keys
};

constexpr std::size_t largest_recipe_bytes = std::size_t{1} << 20;

/// Error of kind recipe if `text` is not such YAML; `file` opens every place.
Document read_yaml(std::string_view text, const std::string& file);

/// Like read_yaml, for one value given elsewhere: every place is `where` itself.
YamlNode read_yaml_value(std::string_view text, const std::string& where);

/// The value that a scalar or a list of scalars stands for: true, false, decimal integers and numbers, text.
/// What looks like another thing to other readers (010, null, a mixed list) goes to `complaints`.
std::optional<OptionValue> option_value(const YamlNode& node, std::vector<Complaint>& complaints);

/// `text` as one YAML scalar that reads back as a string.
std::string yaml_string(std::string_view text);

/// A value as YAML that reads back as the same value.
std::string yaml_value(const OptionValue& value);

}  // namespace compress
