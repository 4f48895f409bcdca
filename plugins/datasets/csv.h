// Tables of comma separated values (RFC 4180) with a header line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace compress {

struct CsvRow {
  std::vector<std::string> cells;  ///< as many as there are columns
  std::size_t line = 0;            ///< counted from 1
};

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;

  /// Position of the column, or `columns.size()`.
  std::size_t column(std::string_view name) const;
};

/// Accepts LF and CRLF, a byte order mark, quoted cells; skips empty lines. Error of kind input, opening with
/// `where`:line, for a row with another number of cells than the header, and for a quote that does not close.
CsvTable parse_csv(std::string_view text, std::string_view where);

}  // namespace compress
