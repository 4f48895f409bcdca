// HTML and SVG that is well-formed and escaped by construction.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compress {

/// `text` for use between tags and inside quoted attributes: & < > " ' become entities, control characters
/// and bytes that are not UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// A relative link to `path`, percent-encoded, that can only lead below the page's own folder: "./c/model.c".
std::string relative_link(std::string_view path);

/// Writes elements. Names and attribute names are ours; every text and attribute value is escaped.
class Markup {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

  Markup& open(std::string_view element, Attributes attributes = {});
  Markup& close();
  Markup& text(std::string_view text);

  /// open, text, close. Not for void elements.
  Markup& leaf(std::string_view element, Attributes attributes, std::string_view text = {});

  /// <element .../>: void elements of HTML and any element of SVG.
  Markup& empty(std::string_view element, Attributes attributes);

  /// The finished work of another Markup.
  Markup& add(const Markup& other);

  /// Text of our own that must not be escaped: the style sheet.
  Markup& verbatim(std::string_view text);

  /// Everything so far. Asserts that every element is closed.
  const std::string& str() const;

 private:
  void tag(std::string_view element, Attributes attributes);

  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace compress
