#include "libcompress/recipe/quantity.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace compress {
namespace {

constexpr double largest_count = 9007199254740992.0;  // 2^53: every whole number up to here is exact

/// digits(.digits)? without leading zeros.
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  const auto point = text.find('.');
  const bool bare_point = point == 0 || point + 1 == text.size();
  const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
  if ((point != std::string_view::npos && bare_point) || leading_zero) return std::nullopt;
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<BudgetLimit> whole(std::optional<double> count) {
  if (!count || *count < 1 || *count > largest_count || *count != std::floor(*count)) return std::nullopt;
  return BudgetLimit{BudgetLimit::Kind::absolute, *count};
}

std::optional<BudgetLimit> share(std::string_view text) {
  const auto percent = parse_percent(text);
  return percent ? std::optional(BudgetLimit{BudgetLimit::Kind::percent, *percent}) : std::nullopt;
}

}  // namespace

std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto value = decimal(text.substr(0, text.size() - 1));
  if (!value || *value < 1e-6 || *value > 100) return std::nullopt;
  return value;
}

std::optional<RatioText> parse_ratio(std::string_view text) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  const auto percent = parse_percent(text.substr(equals + 1));
  if (!percent) return std::nullopt;
  return RatioText{std::string(text.substr(0, equals)), *percent};
}

std::optional<ObserverText> parse_observer(std::string_view text) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  return ObserverText{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::optional<BudgetLimit> parse_count_budget(std::string_view text) {
  if (text.ends_with('%')) return share(text);
  return whole(text.find('.') == std::string_view::npos ? decimal(text) : std::nullopt);
}

std::optional<BudgetLimit> parse_bytes_budget(std::string_view text) {
  if (text.ends_with('%')) return share(text);
  struct Unit {
    std::string_view name;
    double bytes;
  };
  // The longer names first: "KiB" also ends with "B".
  static constexpr Unit units[] = {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"KB", 1e3}, {"MB", 1e6}, {"B", 1}};
  for (const auto& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    const auto amount = decimal(text.substr(0, text.size() - unit.name.size()));
    if (!amount) return std::nullopt;
    const double bytes = *amount * unit.bytes;
    // 1.1KB is 1100 bytes though 1.1 has no exact double.
    const double nearest = std::round(bytes);
    return whole(std::abs(bytes - nearest) < 1e-6 ? nearest : bytes);
  }
  return parse_count_budget(text);
}

std::string percent_text(double percent) {
  // Shortest fixed-point text that reads back the same; no exponent, which the parser does not take.
  for (int places = 0; places < 40; ++places) {
    const auto text = fmt::format("{:.{}f}%", percent, places);
    if (parse_percent(text) == percent) return text;
  }
  return fmt::format("{:.340f}%", percent);
}

std::string to_string(const BudgetLimit& limit) {
  if (limit.kind == BudgetLimit::Kind::percent) return percent_text(limit.amount);
  return fmt::format("{:.0f}", limit.amount);
}

std::int64_t BudgetLimit::resolved(std::int64_t unpruned) const {
  const double count = kind == Kind::percent ? static_cast<double>(unpruned) * amount / 100.0 : amount;
  return std::max<std::int64_t>(1, std::llround(count));
}

}  // namespace compress
