#include "libcompress/base/options.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Of any alternative of OptionValue: "an integer", "a list of numbers".
std::string described(const OptionValue& value) {
  static const char* const kinds[] = {"a boolean",        "an integer",         "a number",
                                      "a string",         "a list of integers", "a list of numbers",
                                      "a list of strings"};
  return fmt::format("{} ({})", kinds[value.index()], to_string(value));
}

std::string described(OptionType type) {
  switch (type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "an integer";
    case OptionType::number:
      return "a number";
    case OptionType::string:
      return "a string";
    case OptionType::path:
      return "a path";
    case OptionType::integers:
      return "a list of integers";
    case OptionType::numbers:
      return "a list of numbers";
    case OptionType::strings:
      return "a list of strings";
  }
  return "";
}

std::string bound(double value) { return fmt::format("{}", value); }

bool is_empty_list(const OptionValue& value) {
  return std::visit(
      [](const auto& each) {
        if constexpr (requires { typename std::decay_t<decltype(each)>::value_type; })
          return !std::is_same_v<std::decay_t<decltype(each)>, std::string> && each.empty();
        else
          return false;
      },
      value);
}

OptionValue empty_list(OptionType type) {
  if (type == OptionType::integers) return std::vector<std::int64_t>{};
  if (type == OptionType::numbers) return std::vector<double>{};
  return std::vector<std::string>{};
}

bool is_list(OptionType type) {
  return type == OptionType::integers || type == OptionType::numbers || type == OptionType::strings;
}

/// The value in the form that `type` asks for, or nothing if it is of another type.
std::optional<OptionValue> converted(OptionType type, const OptionValue& value) {
  // An empty list has no elements that could tell its type.
  if (is_list(type) && is_empty_list(value)) return empty_list(type);
  if (type == OptionType::number && std::holds_alternative<std::int64_t>(value))
    return static_cast<double>(std::get<std::int64_t>(value));
  if (type == OptionType::numbers && std::holds_alternative<std::vector<std::int64_t>>(value)) {
    const auto& integers = std::get<std::vector<std::int64_t>>(value);
    return std::vector<double>(integers.begin(), integers.end());
  }
  const bool fits = [&] {
    switch (type) {
      case OptionType::boolean:
        return std::holds_alternative<bool>(value);
      case OptionType::integer:
        return std::holds_alternative<std::int64_t>(value);
      case OptionType::number:
        return std::holds_alternative<double>(value);
      case OptionType::string:
      case OptionType::path:
        return std::holds_alternative<std::string>(value);
      case OptionType::integers:
        return std::holds_alternative<std::vector<std::int64_t>>(value);
      case OptionType::numbers:
        return std::holds_alternative<std::vector<double>>(value);
      case OptionType::strings:
        return std::holds_alternative<std::vector<std::string>>(value);
    }
    return false;
  }();
  return fits ? std::optional(value) : std::nullopt;
}

template <typename Each>
void for_each_number(const OptionValue& value, const Each& each) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) each(static_cast<double>(*integer));
  if (const auto* number = std::get_if<double>(&value)) each(*number);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    for (const auto element : *integers) each(static_cast<double>(element));
  if (const auto* numbers = std::get_if<std::vector<double>>(&value))
    for (const auto element : *numbers) each(element);
}

template <typename Each>
void for_each_string(const OptionValue& value, const Each& each) {
  if (const auto* string = std::get_if<std::string>(&value)) each(*string);
  if (const auto* strings = std::get_if<std::vector<std::string>>(&value))
    for (const auto& element : *strings) each(element);
}

std::string did_you_mean(const std::string& near) {
  return near.empty() ? "" : "did you mean '" + near + "'?";
}

std::string folded(std::string_view name) {
  std::string text(name);
  for (auto& c : text) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Optimal string alignment distance: insert, delete, substitute, or swap two neighbors (Damerau 1964).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string number_text(double value) {
  auto text = fmt::format("{}", value);
  // A whole number keeps its point, so that it reads back as a number and not as an integer.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string allowed_by(const OptionSpec& spec) {
  if (!spec.choices.empty()) return fmt::format("{}", fmt::join(spec.choices, ", "));
  if (spec.minimum && spec.minimum == spec.maximum) return bound(*spec.minimum);
  std::string text = described(spec.type);
  if (spec.minimum && spec.maximum)
    return text + " from " + bound(*spec.minimum) + " to " + bound(*spec.maximum);
  if (spec.minimum) return text + " of at least " + bound(*spec.minimum);
  if (spec.maximum) return text + " of at most " + bound(*spec.maximum);
  return text;
}

std::optional<Complaint> fit_option(const OptionSpec& spec, OptionValue& value, std::string_view where) {
  const auto wrong = [&](std::string found, std::string remedy = "") {
    return Complaint{std::string(where), std::move(found), allowed_by(spec), std::move(remedy)};
  };
  auto fitting = converted(spec.type, value);
  if (!fitting) {
    const bool wants_text = spec.type == OptionType::string || spec.type == OptionType::path;
    return wrong(described(value), wants_text && value.index() < 3 ? "put it in quotes" : "");
  }
  value = *std::move(fitting);
  std::optional<Complaint> complaint;
  for_each_number(value, [&](double number) {
    const bool below = spec.minimum && number < *spec.minimum;
    const bool above = spec.maximum && number > *spec.maximum;
    if (!std::isfinite(number) || below || above) complaint = wrong(bound(number));
  });
  if (!spec.choices.empty())
    for_each_string(value, [&](const std::string& text) {
      if (std::find(spec.choices.begin(), spec.choices.end(), text) == spec.choices.end())
        complaint = wrong("'" + text + "'", did_you_mean(nearest_name(text, spec.choices)));
    });
  return complaint;
}

OptionValue check_option(const OptionSpec& spec, OptionValue value, std::string_view where) {
  const auto place = fmt::format("{}{}option '{}'", where, where.empty() ? "" : ", ", spec.name);
  if (const auto complaint = fit_option(spec, value, place)) throw Error(ErrorKind::recipe, *complaint);
  return value;
}

Options Options::checked(const OptionTable& table, std::map<std::string, OptionValue> given,
                         std::string_view where) {
  std::vector<std::string> names;
  for (const auto& spec : table) names.push_back(spec.name);
  for (const auto& [name, value] : given) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw Error(ErrorKind::recipe, {std::string(where), "unknown option '" + name + "'",
                                    names.empty() ? "no options" : fmt::format("{}", fmt::join(names, ", ")),
                                    did_you_mean(nearest_name(name, names))});
  }
  Options options;
  for (const auto& spec : table) {
    const auto found = given.find(spec.name);
    if (found != given.end())
      options.values_[spec.name] = check_option(spec, std::move(found->second), where);
    else if (spec.fallback)
      options.values_[spec.name] = check_option(spec, *spec.fallback, where);
    else if (spec.required)
      throw Error(ErrorKind::recipe, {std::string(where), "option '" + spec.name + "' is missing",
                                      allowed_by(spec), spec.help.empty() ? "" : "it is: " + spec.help});
  }
  return options;
}

bool Options::has(std::string_view name) const { return values_.find(name) != values_.end(); }

const OptionValue& Options::at(std::string_view name) const {
  const auto found = values_.find(name);
  assert(found != values_.end());
  return found->second;
}

bool Options::boolean(std::string_view name) const { return std::get<bool>(at(name)); }

std::int64_t Options::integer(std::string_view name) const { return std::get<std::int64_t>(at(name)); }

double Options::number(std::string_view name) const {
  const auto& value = at(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

const std::string& Options::string(std::string_view name) const { return std::get<std::string>(at(name)); }

const std::vector<std::int64_t>& Options::integers(std::string_view name) const {
  return std::get<std::vector<std::int64_t>>(at(name));
}

std::vector<double> Options::numbers(std::string_view name) const {
  const auto& value = at(name);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    return std::vector<double>(integers->begin(), integers->end());
  return std::get<std::vector<double>>(value);
}

const std::vector<std::string>& Options::strings(std::string_view name) const {
  return std::get<std::vector<std::string>>(at(name));
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t longest = 64;  // no key is longer; keeps hostile input from costing time
  if (name.empty() || name.size() > longest) return "";
  const auto wanted = folded(name);
  std::string nearest;
  std::size_t shortest = longest;
  for (const auto& each : known) {
    const auto distance = edit_distance(wanted, folded(each));
    const auto limit = std::max<std::size_t>(1, std::max(name.size(), each.size()) / 3);
    if (distance > limit || distance >= std::min(name.size(), each.size()) || distance >= shortest) continue;
    nearest = each;
    shortest = distance;
  }
  return nearest;
}

std::string to_string(OptionType type) {
  switch (type) {
    case OptionType::boolean:
      return "boolean";
    case OptionType::integer:
      return "integer";
    case OptionType::number:
      return "number";
    case OptionType::string:
      return "string";
    case OptionType::path:
      return "path";
    case OptionType::integers:
      return "list of integers";
    case OptionType::numbers:
      return "list of numbers";
    case OptionType::strings:
      return "list of strings";
  }
  return "";
}

std::string to_string(const OptionValue& value) {
  struct Printer {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return number_text(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::vector<std::int64_t>& list) const {
      return fmt::format("[{}]", fmt::join(list, ", "));
    }
    std::string operator()(const std::vector<double>& list) const {
      std::vector<std::string> texts;
      for (const auto number : list) texts.push_back(number_text(number));
      return fmt::format("[{}]", fmt::join(texts, ", "));
    }
    std::string operator()(const std::vector<std::string>& list) const {
      return fmt::format("[{}]", fmt::join(list, ", "));
    }
  };
  return std::visit(Printer{}, value);
}

}  // namespace compress
