#include "plugins/datasets/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {
namespace {

[[noreturn]] void refuse(std::string_view where, std::size_t line, std::string found, std::string allowed) {
  throw Error(ErrorKind::input,
              {fmt::format("{}:{}", where, line), std::move(found), std::move(allowed), ""});
}

/// Takes rows off the front of a text.
class Reader {
 public:
  Reader(std::string_view text, std::string_view where) : rest_(text), where_(where) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  bool done() const { return rest_.empty(); }

  CsvRow row() {
    CsvRow row{{}, line_};
    do row.cells.push_back(cell());
    while (take(','));
    take('\r');
    if (!take('\n') && !done())
      refuse(where_, line_, "text after a closing quote or a stray carriage return",
             "a comma or the end of the line");
    ++line_;
    return row;
  }

 private:
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string cell() {
    if (take('"')) return quoted();
    const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return text;
  }

  std::string quoted() {
    const std::size_t opened = line_;
    std::string text;
    while (!done()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"' && !take('"')) return text;  // a doubled quote stands for one
      if (c == '\n') ++line_;
      text += c;
    }
    refuse(where_, opened, "a quote that does not close", "");
  }

  std::string_view rest_;
  std::string_view where_;
  std::size_t line_ = 1;
};

bool is_empty(const CsvRow& row) { return row.cells.size() == 1 && row.cells.front().empty(); }

}  // namespace

std::size_t CsvTable::column(std::string_view name) const {
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}

CsvTable parse_csv(std::string_view text, std::string_view where) {
  Reader reader(text, where);
  CsvTable table;
  if (reader.done()) refuse(where, 1, "an empty file", "a line of column names");
  table.columns = reader.row().cells;
  while (!reader.done()) {
    auto row = reader.row();
    if (is_empty(row)) continue;
    if (row.cells.size() != table.columns.size())
      refuse(where, row.line, fmt::format("{} cells", row.cells.size()),
             fmt::format("{}, as in the header", table.columns.size()));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace compress
