#include "libcompress/recipe/document.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <sstream>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace compress {
namespace {

constexpr std::size_t deepest = 16;         // the deepest key of a recipe is at 5
constexpr std::size_t most_values = 50000;  // a large recipe has some hundred

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed, std::string remedy = "") {
  throw Error(ErrorKind::recipe, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

/// The length of the UTF-8 sequence at the start of `text`, 0 if it is none (overlong, surrogate, truncated).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool second = follows(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool second = follows(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// The text of the file, for places and for what the YAML reader does not tell.
class Source {
 public:
  Source(std::string_view text, const std::string& file) : text_(text), file_(file) {
    lines_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') lines_.push_back(i + 1);
  }

  const std::string& file() const { return file_; }

  std::string place(const YAML::Mark& mark) const {
    return mark.is_null() ? file_ : fmt::format("{}:{}:{}", file_, mark.line + 1, mark.column + 1);
  }

  std::string place(std::size_t offset) const {
    const auto line = std::upper_bound(lines_.begin(), lines_.end(), offset) - lines_.begin();
    return fmt::format("{}:{}:{}", file_, line, offset - lines_[static_cast<std::size_t>(line) - 1] + 1);
  }

  /// From `mark` to the end of its line.
  std::string_view line_from(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(mark.line);
    if (mark.is_null() || line >= lines_.size()) return "";
    const auto rest =
        text_.substr(std::min(text_.size(), lines_[line] + static_cast<std::size_t>(mark.column)));
    return rest.substr(0, rest.find('\n'));
  }

 private:
  std::string_view text_;
  const std::string& file_;
  std::vector<std::size_t> lines_;  // where each starts
};

/// Before the YAML reader sees it: it guesses encodings, and takes some control characters for its own marks.
void check_characters(std::string_view text, const Source& source) {
  if (text.size() > largest_recipe_bytes)
    refuse(source.file(), fmt::format("{} bytes", text.size()),
           fmt::format("up to {} bytes", largest_recipe_bytes), "is this the right file?");
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto length = utf8_length(text.substr(i));
    if (length == 0) refuse(source.place(i), "bytes that are not UTF-8", "UTF-8 text");
    if (c == '\t') refuse(source.place(i), "a tab", "spaces", "replace every tab by spaces");
    const bool line_end = c == '\n' || (c == '\r' && text.substr(i + 1, 1) == "\n");
    if ((c < 0x20 && !line_end) || c == 0x7f)
      refuse(source.place(i), fmt::format("the control character {:#04x}", c), "printable text");
    i += length;
  }
}

/// Whether the quoted text at the start of `line` ends on it.
bool quote_closes(std::string_view line) {
  const char quote = line[0];
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\')
      ++i;
    else if (line[i] == quote)
      return true;
  }
  return false;
}

/// Builds the tree and refuses, at the first event, what could grow without bound.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const Source& source) : source_(source) {}

  std::optional<YamlNode> root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (!root) return;
    refuse(at(mark), "a second document", "one document in a file", "remove the rest of the file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({YamlNode::Kind::null, at(mark), ""}, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(at(mark), "an alias", "values written out", "repeat the value instead of pointing to it");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    const auto line = source_.line_from(mark);
    const bool quoted = line.starts_with('"') || line.starts_with('\'');
    if (!is_untagged(tag) && !(quoted && tag == "!")) refuse_tag(mark, tag);
    // The reader joins lines, and takes the end of the file for a closing quote: a value that is out of place
    // or cut off would pass as text.
    if (quoted && !quote_closes(line))
      refuse(at(mark), "a quote that is not closed on its line", "text on one line", "close the quote");
    if (!quoted && !line.starts_with(value))
      refuse(at(mark), "text over several lines", "text on one line",
             "look at the indentation of the next line");
    add({YamlNode::Kind::scalar, at(mark), value, quoted}, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A collection that is being filled; in a map, `items` alternates keys and values until it is closed.
  std::vector<YamlNode> open_;
  const Source& source_;
  std::size_t values_ = 0;

  std::string at(const YAML::Mark& mark) const { return source_.place(mark); }

  /// Plain scalars and collections have the tag "?" or none, quoted text has "!".
  static bool is_untagged(const std::string& tag) { return tag.empty() || tag == "?"; }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0) refuse(at(mark), "an anchor (&name)", "values written out", "remove the anchor");
  }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    refuse(at(mark), fmt::format("the tag '{}'", tag.substr(0, 60)), "plain values", "remove the tag");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    if (!is_untagged(tag)) refuse_tag(mark, tag);
    if (open_.size() >= deepest)
      refuse(at(mark), fmt::format("more than {} levels", deepest), fmt::format("up to {} levels", deepest));
    count(mark);
    open_.push_back({kind, at(mark), ""});
  }

  void close() {
    YamlNode done = std::move(open_.back());
    open_.pop_back();
    if (done.kind == YamlNode::Kind::map) pair_up(done);
    place_in_parent(std::move(done));
  }

  void add(YamlNode node, const YAML::Mark& mark) {
    count(mark);
    place_in_parent(std::move(node));
  }

  void count(const YAML::Mark& mark) {
    if (++values_ > most_values)
      refuse(at(mark), fmt::format("more than {} values", most_values),
             fmt::format("up to {} values", most_values));
  }

  void place_in_parent(YamlNode node) {
    if (open_.empty())
      root = std::move(node);
    else
      open_.back().items.push_back(std::move(node));
  }

  static void pair_up(YamlNode& map) {
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      YamlNode& key = map.items[i];
      if (key.kind != YamlNode::Kind::scalar)
        refuse(key.where, described(key) + " as a key", "a name", "is a value missing before the ':'?");
      if (key.text == "<<" && !key.quoted)
        refuse(key.where, "a merge key (<<)", "keys written out", "repeat the keys instead of merging them");
      // An empty value has no place of its own: the reader gives that of whatever follows.
      YamlNode& value = map.items[i + 1];
      if (value.kind == YamlNode::Kind::null) value.where = key.where;
      map.entries.emplace_back(std::move(key), std::move(value));
    }
    map.items.clear();
  }
};

/// Keeps the first of each key. Looks at each map once, sorted: a map may hold thousands of keys.
void drop_doubled_keys(YamlNode& node, std::vector<Complaint>& complaints) {
  for (auto& item : node.items) drop_doubled_keys(item, complaints);
  for (auto& entry : node.entries) drop_doubled_keys(entry.second, complaints);
  std::map<std::string_view, const YamlNode*> first;
  std::vector<bool> doubled;
  for (const auto& [key, value] : node.entries) {
    const auto [earlier, inserted] = first.emplace(key.text, &key);
    doubled.push_back(!inserted);
    if (!inserted)
      complaints.push_back(
          {key.where,
           fmt::format("key '{}' given twice, first at {}", key.text.substr(0, 60), earlier->second->where),
           "each key once", "remove one of the two"});
  }
  std::vector<YamlNode::Entry> kept;
  for (std::size_t i = 0; i < node.entries.size(); ++i)
    if (!doubled[i]) kept.push_back(std::move(node.entries[i]));
  node.entries = std::move(kept);
}

std::optional<YamlNode> parse(std::string_view text, const std::string& file) {
  const Source source(text, file);
  check_characters(text, source);
  std::istringstream stream{std::string(text)};
  Builder builder(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    refuse(source.place(error.mark), "this is not YAML that can be read (" + error.msg + ")", "",
           "look at the indentation and the quotes");
  }
  return std::move(builder.root);
}

void set_place(YamlNode& node, const std::string& where) {
  node.where = where;
  for (auto& item : node.items) set_place(item, where);
  for (auto& [key, value] : node.entries) {
    set_place(key, where);
    set_place(value, where);
  }
}

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// -?digits
bool looks_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return digits(text);
}

/// The number grammar of JSON, but for leading zeros: -?digits(.digits)?([eE][+-]?digits)?
bool looks_number(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    auto power = text.substr(exponent + 1);
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    if (!digits(power)) return false;
    text = text.substr(0, exponent);
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return looks_integer(text);
  return looks_integer(text.substr(0, point)) && digits(text.substr(point + 1));
}

bool leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

template <typename Number>
std::optional<Number> converted(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<OptionValue> scalar_value(const YamlNode& node, std::vector<Complaint>& complaints) {
  const auto complain = [&](std::string found, std::string allowed,
                            std::string remedy) -> std::optional<OptionValue> {
    complaints.push_back({node.where, std::move(found), std::move(allowed), std::move(remedy)});
    return std::nullopt;
  };
  if (node.kind == YamlNode::Kind::null)
    return complain("an empty value", "a value", "give one, or remove the key");
  if (node.kind != YamlNode::Kind::scalar) return complain(described(node), "a single value", "");
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(node.text.begin(), node.text.end(), control))
    return complain("text with a line break or a control character", "text on one line", "");
  if (node.quoted) return node.text;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  const bool integer = looks_integer(node.text);
  if (!integer && !looks_number(node.text)) return node.text;
  if (leading_zero(node.text))
    return complain(fmt::format("{}, a number with a leading zero", described(node)), "decimal numbers",
                    "other readers take it for octal: remove the zero, or put text in quotes");
  if (integer) {
    if (const auto value = converted<std::int64_t>(node.text)) return *value;
  } else if (const auto value = converted<double>(node.text)) {
    return *value;
  }
  return complain(fmt::format("{}, a number that is too large or too small", described(node)),
                  "integers of 64 bits, numbers of double precision", "");
}

/// A list whose elements are all `Element`.
template <typename Element>
std::optional<OptionValue> list_of(const std::vector<OptionValue>& elements) {
  std::vector<Element> list;
  for (const auto& element : elements) {
    if (const auto* value = std::get_if<Element>(&element)) {
      list.push_back(*value);
    } else if constexpr (std::is_same_v<Element, double>) {
      const auto* integer = std::get_if<std::int64_t>(&element);
      if (!integer) return std::nullopt;
      list.push_back(static_cast<double>(*integer));
    } else {
      return std::nullopt;
    }
  }
  return list;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

std::string described(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "an empty value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  constexpr std::size_t longest = 60;
  if (node.text.size() <= longest) return fmt::format("'{}'", node.text);
  std::size_t cut = longest;  // not inside a UTF-8 sequence
  while (cut > 0 && (static_cast<unsigned char>(node.text[cut]) & 0xc0) == 0x80) --cut;
  return fmt::format("'{}...'", node.text.substr(0, cut));
}

Document read_yaml(std::string_view text, const std::string& file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the byte order mark of some editors
  auto root = parse(text, file);
  if (!root || root->kind == YamlNode::Kind::null)
    refuse(file + ":1:1", "an empty file", "a map of keys", "start with 'version: 1'");
  if (root->kind != YamlNode::Kind::map)
    refuse(root->where, described(*root), "a map of keys", "start with 'version: 1'");
  Document document{std::move(*root)};
  drop_doubled_keys(document.root, document.complaints);
  return document;
}

YamlNode read_yaml_value(std::string_view text, const std::string& where) {
  auto root = parse(text, where);
  if (!root) root = YamlNode{};
  std::vector<Complaint> doubled;
  drop_doubled_keys(*root, doubled);
  if (!doubled.empty()) throw Error(ErrorKind::recipe, doubled.front());
  set_place(*root, where);
  return *std::move(root);
}

std::optional<OptionValue> option_value(const YamlNode& node, std::vector<Complaint>& complaints) {
  if (node.kind != YamlNode::Kind::sequence) return scalar_value(node, complaints);
  std::vector<OptionValue> elements;
  for (const auto& item : node.items) {
    auto value = scalar_value(item, complaints);
    if (!value) return std::nullopt;
    if (std::holds_alternative<bool>(*value)) {
      complaints.push_back({item.where, described(item) + " in a list", "integers, numbers or strings", ""});
      return std::nullopt;
    }
    elements.push_back(*std::move(value));
  }
  if (elements.empty()) return std::vector<std::string>{};
  if (auto list = list_of<std::int64_t>(elements)) return list;
  if (auto list = list_of<double>(elements)) return list;
  if (auto list = list_of<std::string>(elements)) return list;
  complaints.push_back({node.where, "a list of text and numbers together", "a list of one type",
                        "put the numbers in quotes if they are text"});
  return std::nullopt;
}

std::string yaml_string(std::string_view text) {
  const auto plain_char = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '/' || c == '.' || c == '-';
  };
  const bool starts_plain =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_');
  // Words that this reader or an older one (YAML 1.1) takes for something else than text.
  static constexpr std::string_view words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool word = std::find(std::begin(words), std::end(words), lower) != std::end(words);
  if (starts_plain && !word && std::all_of(text.begin(), text.end(), plain_char)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string yaml_value(const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return yaml_string(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string text;
    for (const auto& element : *list) text += (text.empty() ? "" : ", ") + yaml_string(element);
    return "[" + text + "]";
  }
  return to_string(value);
}

}  // namespace compress
