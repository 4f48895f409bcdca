#include "libcompress/export/c_text.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

namespace compress {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

/// A file NAME.h would hide these, and some names break a build in other ways.
bool is_taken(std::string_view name) {
  constexpr std::array kTaken = {"assert",  "complex", "ctype",    "errno",  "fenv",   "float",  "inttypes",
                                 "iso646",  "limits",  "locale",   "math",   "setjmp", "signal", "stdarg",
                                 "stdbool", "stddef",  "stdint",   "stdio",  "stdlib", "string", "strings",
                                 "tgmath",  "time",    "uchar",    "unistd", "wchar",  "wctype", "memory",
                                 "malloc",  "alloca",  "features", "net",    "con",    "prn",    "aux",
                                 "nul",     "threads", "sched",    "newlib", "values"};
  return std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
}

/// C has no literal for the smallest int32: -2147483648 is a negated long.
template <typename T>
std::string number(T value) {
  return sizeof value < 8 && value == INT32_MIN ? "(-2147483647 - 1)" : std::to_string(value);
}

template <typename T>
std::string wrapped(std::span<const T> values, std::size_t line_length) {
  std::string text = "{\n", line;
  for (const auto value : values) {
    const auto item = number(value) + ", ";
    if (line.size() + item.size() > line_length) {
      line.back() = '\n';
      text.append("  ").append(line);
      line.clear();
    }
    line += item;
  }
  if (!line.empty()) text.append("  ").append(line, 0, line.size() - 2).append("\n");
  return text + "}";
}

}  // namespace

std::string c_identifier(std::string_view name) {
  constexpr std::size_t kLongest = 48;
  std::string result;
  for (const char c : name.substr(0, kLongest)) result += is_letter(c) || is_digit(c) ? c : '_';
  const auto lower = [](std::string text) {
    for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  // Leading underscores are the compiler's; digits cannot lead.
  if (result.empty() || !is_letter(result.front())) result.insert(0, "net_");
  if (is_taken(lower(result))) result += "_network";
  return result;
}

std::string comment_text(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (!is_printable(c)) c = '?';
    const char before = result.empty() ? '\0' : result.back();
    const bool mark = (before == '*' && c == '/') || (before == '/' && (c == '*' || c == '/'));
    if (mark || (before == '?' && c == '?')) result += ' ';
    result += c == '\\' ? '/' : c;
  }
  return result;
}

std::string string_literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '?')  // "\?" keeps trigraphs from forming
      result.append(1, '\\').append(1, c);
    else if (is_printable(c))
      result += c;
    else
      result += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return result + "\"";
}

std::string float_literal(float value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string array_body(std::span<const std::int8_t> values) { return wrapped(values, 106); }

std::string array_body(std::span<const std::int32_t> values) { return wrapped(values, 106); }

std::string array_body(std::span<const std::int64_t> values) { return wrapped(values, 106); }

std::string filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result;
  while (true) {
    const auto begin = text.find('@');
    const auto end = begin == text.npos ? text.npos : text.find('@', begin + 1);
    if (end == text.npos) return result.append(text);
    const auto found = values.find(std::string(text.substr(begin + 1, end - begin - 1)));
    assert(found != values.end());
    result.append(text.substr(0, begin)).append(found->second);
    text.remove_prefix(end + 1);
  }
}

std::string grouped(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string upper(std::string_view name) {
  std::string result(name);
  for (auto& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

}  // namespace compress
