// Named, typed, checked settings: the same table describes a plugin's options and the keys of a recipe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libcompress/base/error.h"

namespace compress {

enum class OptionType { boolean, integer, number, string, path, integers, numbers, strings };

using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// One row of a table of options. A row without `fallback` that is not `required` may be absent.
struct OptionSpec {
  std::string name;
  OptionType type = OptionType::string;
  std::string help;                       ///< one line, with the unit
  std::optional<OptionValue> fallback{};  ///< the value when the user says nothing
  std::optional<double> minimum{};        ///< inclusive, for numbers and for each element of a list
  std::optional<double> maximum{};        ///< inclusive
  std::vector<std::string> choices{};     ///< for strings: the only ones allowed
  bool required = false;
};

using OptionTable = std::vector<OptionSpec>;

/// Checked values by name. The getters return the value or the table's fallback and assert on a name or type
/// that the table does not have (that is our bug, not the user's).
class Options {
 public:
  Options() = default;

  /// Checks `given` against `table`: unknown name (with the nearest known one), wrong type, out of range,
  /// missing. Throws Error of kind `kind`; `where` opens the message ("criterion 'taylor'").
  static Options checked(const OptionTable& table, std::map<std::string, OptionValue> given,
                         std::string_view where);

  bool has(std::string_view name) const;
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;              ///< also accepts an integer
  const std::string& string(std::string_view name) const;  ///< also for paths
  const std::vector<std::int64_t>& integers(std::string_view name) const;
  std::vector<double> numbers(std::string_view name) const;
  const std::vector<std::string>& strings(std::string_view name) const;

  const std::map<std::string, OptionValue, std::less<>>& values() const { return values_; }

 private:
  const OptionValue& at(std::string_view name) const;
  std::map<std::string, OptionValue, std::less<>> values_;
};

/// Fits `value` to `spec` (integers are widened to numbers where asked for), or says what is wrong with it;
/// `where` opens the complaint.
std::optional<Complaint> fit_option(const OptionSpec& spec, OptionValue& value, std::string_view where);

/// What `spec` allows: "an integer from 1 to 100", "global, local".
std::string allowed_by(const OptionSpec& spec);

/// fit_option(), but throws the complaint as Error of kind recipe.
OptionValue check_option(const OptionSpec& spec, OptionValue value, std::string_view where);

/// The known name closest to `name` by edit distance, or empty if none is near enough to be a typing error.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

std::string to_string(OptionType type);
std::string to_string(const OptionValue& value);

}  // namespace compress
