#include "tools/command/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace compress::command {
namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t g_interrupts = 0;

void on_interrupt(int) {
  g_interrupts = g_interrupts + 1;
  if (g_interrupts > 1) _exit(130);
  constexpr std::string_view kNote = "\nstopping at the next safe point (Ctrl-C again: at once)\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kNote.data(), kNote.size());
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Terminal::Terminal(bool quiet) : quiet_(quiet), is_terminal_(isatty(STDERR_FILENO) != 0) {}

Terminal::~Terminal() { finish_line(); }

void Terminal::message(Severity severity, std::string_view text) {
  if (severity == Severity::debug || (quiet_ && severity == Severity::info)) return;
  finish_line();
  fmt::print(stderr, "{}{}\n", severity == Severity::warning ? "warning: " : "", text);
}

void Terminal::progress(std::string_view what, std::int64_t done, std::int64_t total, std::string_view note) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (what != activity_ || done < first_done_) {
    finish_line();
    activity_ = what;
    started_ = now;
    first_done_ = done;
    last_drawn_ = {};
  }
  const auto pause = is_terminal_ ? Clock::duration(100ms) : Clock::duration(10s);
  if (done < total && now - last_drawn_ < pause) return;
  last_drawn_ = now;
  draw(what, done, total, note);
}

std::string Terminal::eta(std::int64_t done, std::int64_t total) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  const auto worked = done - first_done_;
  if (done >= total) return fmt::format("{} in all", clock_text(seconds));
  if (worked <= 0) return "ETA --:--";
  return "ETA " + clock_text(seconds / static_cast<double>(worked) * static_cast<double>(total - done));
}

void Terminal::draw(std::string_view what, std::int64_t done, std::int64_t total, std::string_view note) {
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
  std::string line = fmt::format("{} {}/{} {}", what, done, total, eta(done, total));
  if (!note.empty()) line += fmt::format("  {}", note);
  if (!is_terminal_) {
    fmt::print(stderr, "{}\n", line);
    return;
  }
  constexpr std::size_t kBar = 24;
  const auto filled = static_cast<std::size_t>(fraction * kBar);
  std::string drawn = fmt::format("[{:#<{}}{:.<{}}] {}", "", filled, "", kBar - filled, line);
  const auto columns = terminal_columns();
  if (drawn.size() >= columns) drawn.resize(columns - 1);
  fmt::print(stderr, "\r{}\x1b[K", drawn);
  std::fflush(stderr);
  line_open_ = true;
  if (done >= total) finish_line();
}

void Terminal::finish_line() {
  if (line_open_) fmt::print(stderr, "\n");
  line_open_ = false;
}

bool Terminal::stop_requested() { return g_interrupts > 0; }

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is then an error of write(), told like a full disk
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace compress::command
