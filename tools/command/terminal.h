// What a person sees while the command works: messages, a progress bar with an ETA, and a clean stop on
// Ctrl-C.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "libcompress/base/progress.h"

namespace compress::command {

/// Writes to standard error, so that standard output holds results alone. On a terminal progress is one line
/// that is rewritten; elsewhere it is a plain line now and then.
class Terminal final : public Reporter {
 public:
  explicit Terminal(bool quiet = false);
  ~Terminal() override;

  void message(Severity severity, std::string_view text) override;
  void progress(std::string_view what, std::int64_t done, std::int64_t total, std::string_view note) override;
  bool stop_requested() override;

  /// Ends a progress line, so that other text starts on a fresh one.
  void finish_line();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(std::string_view what, std::int64_t done, std::int64_t total, std::string_view note);
  std::string eta(std::int64_t done, std::int64_t total) const;

  bool quiet_;
  bool is_terminal_;
  bool line_open_ = false;
  std::string activity_;
  Clock::time_point started_{};
  Clock::time_point last_drawn_{};
  std::int64_t first_done_ = 0;
};

/// The first Ctrl-C asks for a stop at the next safe point, the second ends the process at once.
void catch_interrupts();

}  // namespace compress::command
