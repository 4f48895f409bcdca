// Other programs: started with an argument list (never through a shell), bounded in time, in folders of their
// own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace compress {

/// A fresh folder below the system's temporary folder, removed with all it holds. Error of kind io.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes `files` (content by relative path) below the folder.
  void write(const std::map<std::string, std::string>& files) const;

 private:
  std::filesystem::path path_;
};

/// The program's full path as PATH has it, or nothing.
std::optional<std::filesystem::path> find_program(const std::string& name);

/// The first of `names` that find_program() finds.
std::optional<std::filesystem::path> find_program(std::initializer_list<const char*> names);

struct Finished {
  int exit_code = 0;       ///< 128 + the signal's number if one ended it
  bool timed_out = false;  ///< it was killed for taking too long
  std::string output;      ///< standard output and standard error together, at most the first MiB
};

/// Runs `arguments` (the program's path first) in `folder` with empty standard input and waits for its end.
/// Error of kind io if it cannot be started.
Finished run_program(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                     std::chrono::seconds limit = std::chrono::seconds(120));

/// A program that answers on its standard output what it is sent on its standard input.
class Conversation {
 public:
  Conversation(const std::vector<std::string>& arguments, const std::filesystem::path& folder);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Sends all of `question`, then receives exactly `answer.size()` bytes. Error of kind io if the program
  /// ends or takes longer than `limit`.
  void ask(std::span<const std::byte> question, std::span<std::byte> answer, std::chrono::seconds limit);

 private:
  int socket_ = -1;
  int process_ = -1;
};

}  // namespace compress
