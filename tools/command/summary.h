// A run in a few lines, for the terminal.
#pragma once

#include <filesystem>
#include <string>

#include "libcompress/report/report.h"

namespace compress::command {

std::string summary_text(const RunReport& report, const std::filesystem::path& folder);

}  // namespace compress::command
