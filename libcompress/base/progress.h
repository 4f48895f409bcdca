// What a library that never prints tells its caller: messages, progress, and whether to stop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace compress {

enum class Severity { debug, info, warning };

/// The caller's ears. The library calls it from the thread that called the library. The default says nothing.
class Reporter {
 public:
  virtual ~Reporter() = default;

  virtual void message(Severity severity, std::string_view text);

  /// `done` of `total` units of the activity `what` ("fine-tune 2/4: epoch"); `note` is short ("loss 0.41").
  virtual void progress(std::string_view what, std::int64_t done, std::int64_t total, std::string_view note);

  /// Asked at every safe point. Long work then saves what it has and throws Error of kind interrupted.
  virtual bool stop_requested();
};

/// Throws Error of kind interrupted if the reporter asks to stop.
void stop_if_requested(Reporter& reporter);

/// A reporter that says nothing, for callers that do not care.
Reporter& silent_reporter();

}  // namespace compress
