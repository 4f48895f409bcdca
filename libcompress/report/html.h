// The report as one page that needs nothing but itself.
#pragma once

#include <string>

namespace compress {

struct RunReport;

/// A whole HTML page, also well-formed as XML: inline style and SVG, no script, nothing fetched. Light or
/// dark as the reader's system says. Parts of the report that are empty are left out.
std::string html_page(const RunReport& report);

/// The style sheet inside it.
extern const char* const page_style;

}  // namespace compress
