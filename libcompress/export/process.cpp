#include "libcompress/export/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"

extern "C" char** environ;

namespace compress {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& where, int error) {
  throw Error(ErrorKind::io, {where, std::strerror(error), "", ""});
}

/// A file descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

/// What the child does between its birth and the program: changes its descriptors and its folder.
class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  void connect(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void open_null(int number, int mode) {
    ::posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", mode, 0);
  }
  void enter(const fs::path& folder) { ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()); }

  /// In a process group of its own, so that what it starts can be ended with it.
  pid_t start(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    pid_t process = -1;
    const int error = ::posix_spawn(&process, pointers[0], &actions_, &attributes, pointers.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) fail(arguments[0], error);
    return process;
  }

 private:
  posix_spawn_file_actions_t actions_;
};

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Waits until `descriptor` is ready for `events` or the time is over; false then.
bool wait_ready(int descriptor, short events, Clock::time_point end) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{descriptor, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) fail("waiting for a program", errno);
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  auto pattern = (fs::temp_directory_path() / "libcompress-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail(pattern, errno);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void TemporaryFolder::write(const std::map<std::string, std::string>& files) const {
  for (const auto& [name, text] : files) {
    const auto path = confined(path_, name);
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);  // short-lived: no need for write_file()'s care
    file << text;
    file.close();
    if (!file) fail(path.string(), errno);
  }
}

std::optional<fs::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const auto end = std::min(folders.find(':', begin), folders.size());
    const auto candidate = fs::path(folders.substr(begin, end - begin)) / name;
    std::error_code ignored;
    if (end > begin && fs::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<fs::path> find_program(std::initializer_list<const char*> names) {
  for (const auto* name : names)
    if (auto found = find_program(std::string(name))) return found;
  return std::nullopt;
}

Finished run_program(const std::vector<std::string>& arguments, const fs::path& folder,
                     std::chrono::seconds limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe", errno);
  Descriptor reader(ends[0]), writer(ends[1]);
  SpawnActions actions;
  actions.open_null(STDIN_FILENO, O_RDONLY);
  actions.connect(writer.get(), STDOUT_FILENO);
  actions.connect(writer.get(), STDERR_FILENO);
  actions.enter(folder);
  const pid_t process = actions.start(arguments);
  writer.close();

  Finished finished;
  const auto end = Clock::now() + limit;
  char buffer[4096];
  while (true) {
    if (!wait_ready(reader.get(), POLLIN, end)) {
      finished.timed_out = true;
      ::kill(-process, SIGKILL);
      break;
    }
    const auto count = ::read(reader.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    const auto room = kMostOutput - finished.output.size();
    finished.output.append(buffer, std::min(static_cast<std::size_t>(count), room));
  }
  finished.exit_code = wait_for(process);
  return finished;
}

Conversation::Conversation(const std::vector<std::string>& arguments, const fs::path& folder) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair", errno);
  Descriptor ours(ends[0]), theirs(ends[1]);
  SpawnActions actions;
  actions.connect(theirs.get(), STDIN_FILENO);
  actions.connect(theirs.get(), STDOUT_FILENO);
  actions.enter(folder);
  process_ = actions.start(arguments);
  socket_ = ours.release();
}

Conversation::~Conversation() {
  ::close(socket_);
  ::kill(-process_, SIGKILL);
  wait_for(process_);
}

void Conversation::ask(std::span<const std::byte> question, std::span<std::byte> answer,
                       std::chrono::seconds limit) {
  const auto end = Clock::now() + limit;
  while (!question.empty()) {
    if (!wait_ready(socket_, POLLOUT, end)) fail("sending to a program", ETIMEDOUT);
    const auto count = ::send(socket_, question.data(), question.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) fail("sending to a program", errno);
    question = question.subspan(static_cast<std::size_t>(count));
  }
  while (!answer.empty()) {
    if (!wait_ready(socket_, POLLIN, end)) fail("waiting for a program's answer", ETIMEDOUT);
    const auto count = ::recv(socket_, answer.data(), answer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) fail("waiting for a program's answer", errno);
    if (count == 0)
      throw Error(ErrorKind::io, {"a program that runs the network", "it ended before it answered", "", ""});
    answer = answer.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace compress
