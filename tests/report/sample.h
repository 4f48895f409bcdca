// A report with something in every part, for the tests of this folder.
#pragma once

#include "libcompress/report/report.h"

namespace compress {

RunReport sample_report();

}  // namespace compress
