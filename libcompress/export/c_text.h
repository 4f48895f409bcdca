// Text for C files: names from outside made harmless, numbers, arrays, templates.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace compress {

/// `name` as a C identifier and file name stem: other characters become '_', at most 48 remain; never a name
/// of the standard library's headers, never reserved.
std::string c_identifier(std::string_view name);

/// `text` for a place inside a comment: printable ASCII without comment marks, trigraphs, or line ends.
std::string comment_text(std::string_view text);

/// `text` as a C string literal with its quotes.
std::string string_literal(std::string_view text);

/// A float32 constant that reads back as the same number: "0.0078125f".
std::string float_literal(float value);

/// "{1, 2, 3}" broken into lines, each indented by two spaces.
std::string array_body(std::span<const std::int8_t> values);
std::string array_body(std::span<const std::int32_t> values);
std::string array_body(std::span<const std::int64_t> values);  ///< above INT64_MIN

/// `text` with every @KEY@ replaced. Asserts that none is left over.
std::string filled(std::string_view text, const std::map<std::string, std::string>& values);

/// A file of templates/ by its path there without ".in"; asserts that it exists.
std::string_view template_text(std::string_view path);

/// "4,833,920", for a number of 0 or more in comments.
std::string grouped(std::int64_t number);

/// Upper case, for macros.
std::string upper(std::string_view name);

}  // namespace compress
