#include "libcompress/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "libcompress/base/error.h"

namespace compress {
namespace fs = std::filesystem;
namespace {

std::string remedy_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "free some space, or write to another disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a place you may write to, or change its permissions";
    default:
      return "";
  }
}

[[noreturn]] void refused(std::string_view action, const fs::path& path, int code) {
  throw Error(ErrorKind::io, {path.string(), fmt::format("cannot {}: {}", action, std::strerror(code)), "",
                              remedy_for(code)});
}

[[noreturn]] void too_large(const fs::path& path, std::uint64_t limit_bytes) {
  throw Error(ErrorKind::input, {path.string(), "the file is too large",
                                 fmt::format("up to {} bytes", limit_bytes), "is this the right file?"});
}

/// An open file that is closed when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

  /// 0, or the errno of a close that failed: network file systems report a full disk only here.
  int close() {
    const int failed = ::close(std::exchange(number_, -1));
    return failed ? errno : 0;
  }

 private:
  int number_;
};

/// 0 or errno.
int write_all(int descriptor, const char* bytes, std::size_t count) {
  while (count > 0) {
    // Linux writes at most 2 GiB at a time.
    const ssize_t written = ::write(descriptor, bytes, std::min(count, std::size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return 0;
}

/// 0 or errno. Pipes and devices cannot be synced, and need not be.
int sync(int descriptor) {
  if (::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP) return 0;
  return errno;
}

void make_parent(const fs::path& path) {
  const auto parent = path.parent_path();
  if (parent.empty()) return;
  std::error_code code;
  fs::create_directories(parent, code);
  if (code) refused("create the folder", parent, code.value());
}

/// Beside `path`, so that the rename stays on one disk; unlike that of any other thread or process.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() / fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), count++);
}

/// 0 or errno.
int write_synced(const fs::path& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return errno;
  if (const int code = write_all(file.number(), bytes.data(), bytes.size())) return code;
  if (const int code = sync(file.number())) return code;
  return file.close();
}

/// A rename is on disk only when its folder is. 0 or errno.
int sync_folder_of(const fs::path& path) {
  const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return errno == EACCES ? 0 : errno;  // a folder may be writable but not readable
  return sync(folder.number());
}

template <typename Bytes>
Bytes read_whole(const fs::path& path, std::uint64_t limit_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) refused("read", path, errno);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) refused("read", path, errno);
  if (S_ISDIR(status.st_mode)) refused("read", path, EISDIR);
  const auto expected = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (expected > limit_bytes) too_large(path, limit_bytes);

  // Read until the end, not until the size: pipes have none, and a file may grow meanwhile.
  Bytes bytes;
  bytes.resize(expected + 1);
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(bytes.size() + std::max<std::size_t>(bytes.size() / 2, 4096));
    const auto room = std::min(bytes.size() - filled, std::size_t{1} << 30);
    const ssize_t got = ::read(file.number(), bytes.data() + filled, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refused("read", path, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > limit_bytes) too_large(path, limit_bytes);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

void write_file(const fs::path& path, std::string_view bytes) {
  make_parent(path);
  const auto temporary = temporary_beside(path);
  int code = write_synced(temporary, bytes);
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(temporary.c_str());
    refused("write", path, code);
  }
  if (const int folder_code = sync_folder_of(path)) refused("sync the folder of", path, folder_code);
}

void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  write_file(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string read_text(const fs::path& path, std::uint64_t limit_bytes) {
  return read_whole<std::string>(path, limit_bytes);
}

std::vector<std::byte> read_bytes(const fs::path& path, std::uint64_t limit_bytes) {
  return read_whole<std::vector<std::byte>>(path, limit_bytes);
}

std::vector<std::byte> read_range(const fs::path& path, std::uint64_t offset, std::uint64_t count) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) refused("read", path, errno);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) refused("read", path, errno);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::input, {path.string(), "not a regular file", "a file", ""});
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (offset > size || count > size - offset)
    throw Error(ErrorKind::input, {path.string(), fmt::format("{} bytes from byte {}", count, offset),
                                   fmt::format("inside its {} bytes", size), "the file looks cut short"});
  std::vector<std::byte> bytes(count);
  for (std::size_t filled = 0; filled < count;) {
    const auto room = std::min<std::size_t>(count - filled, std::size_t{1} << 30);
    const ssize_t got =
        ::pread(file.number(), bytes.data() + filled, room, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refused("read", path, errno);
    if (got == 0)
      throw Error(ErrorKind::input, {path.string(), "the file became shorter while it was read", "", ""});
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

void append_line(const fs::path& path, std::string_view line) {
  make_parent(path);
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) refused("append to", path, errno);
  const std::string whole = std::string(line) + '\n';  // one write: a reader never sees half a line
  if (const int code = write_all(file.number(), whole.data(), whole.size())) refused("append to", path, code);
  if (const int code = file.close()) refused("append to", path, code);
}

std::string content_hash(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string content_hash(std::string_view text) {
  return content_hash(std::as_bytes(std::span(text.data(), text.size())));
}

fs::path confined(const fs::path& folder, const fs::path& relative) {
  const auto outside = [&](const char* found) {
    return Error(ErrorKind::input,
                 {"path '" + relative.string() + "'", found, "a path inside '" + folder.string() + "'", ""});
  };
  if (relative.empty()) throw outside("an empty path");
  if (relative.is_absolute()) throw outside("an absolute path");
  if (std::find(relative.begin(), relative.end(), "..") != relative.end()) throw outside("'..' in the path");

  std::error_code code;
  const auto root = fs::weakly_canonical(fs::absolute(folder), code);
  if (code) refused("resolve", folder, code.value());
  const auto target = fs::weakly_canonical(root / relative, code);
  if (code) refused("resolve", folder / relative, code.value());
  const auto inside = target.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..") throw outside("a link that leads out of the folder");
  return folder / relative;
}

}  // namespace compress
