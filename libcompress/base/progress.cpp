#include "libcompress/base/progress.h"

#include "libcompress/base/error.h"

namespace compress {

void Reporter::message(Severity, std::string_view) {}
void Reporter::progress(std::string_view, std::int64_t, std::int64_t, std::string_view) {}
bool Reporter::stop_requested() { return false; }

void stop_if_requested(Reporter& reporter) {
  if (reporter.stop_requested()) throw Error(ErrorKind::interrupted, "stopped by the user");
}

Reporter& silent_reporter() {
  static Reporter silent;
  return silent;
}

}  // namespace compress
