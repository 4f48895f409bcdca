// Quantities with a unit: "20%", "96KB".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libcompress/recipe/recipe.h"

namespace compress {

/// "1.5%" -> 1.5, in [0.000001, 100]; nothing for any other text, also one with spaces.
std::optional<double> parse_percent(std::string_view text);

/// A percentage or a whole count of at least 1, up to 2^53.
std::optional<BudgetLimit> parse_count_budget(std::string_view text);

/// A percentage or a size: bytes, or a number with B, KB, MB (powers of 1000), KiB, MiB (powers of 1024) that
/// is a whole number of bytes.
std::optional<BudgetLimit> parse_bytes_budget(std::string_view text);

/// A name pattern with what is kept of the groups that it matches: "layer4*=50%".
struct RatioText {
  std::string pattern;
  double percent = 100.0;  ///< in [0.000001, 100]
};

/// Nothing for any other text.
std::optional<RatioText> parse_ratio(std::string_view text);

/// A name pattern with the observer of the values that it matches: "conv1*=minmax".
struct ObserverText {
  std::string pattern;
  std::string observer;
};

/// Nothing for any other text.
std::optional<ObserverText> parse_observer(std::string_view text);

/// "20%" or "131000"; parses back to the same limit.
std::string to_string(const BudgetLimit& limit);

/// "1.5%"; parses back to the same number.
std::string percent_text(double percent);

}  // namespace compress
