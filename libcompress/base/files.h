// Files that are written whole or not at all, and read with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace compress {

/// Writes `bytes` to `path`: temporary file beside it, fsync, rename. Creates missing parent folders. After
/// an error (Error of kind io, naming the path and the system's reason) an earlier file is still whole.
void write_file(const std::filesystem::path& path, std::string_view bytes);
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The whole file. Error of kind io if it cannot be read, of kind input if it is larger than `limit_bytes`.
std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes = std::uint64_t{1} << 26);
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  std::uint64_t limit_bytes = std::uint64_t{1} << 33);

/// `count` bytes from byte `offset` of a regular file. Error of kind io if it cannot be read, of kind input
/// if it is of another kind or shorter than that, before anything is allocated.
std::vector<std::byte> read_range(const std::filesystem::path& path, std::uint64_t offset,
                                  std::uint64_t count);

/// Appends one line and flushes it; for metrics that grow while training runs.
void append_line(const std::filesystem::path& path, std::string_view line);

/// 32 hexadecimal digits: XXH3-128 of the content. Names cache entries and graphs; no defence against an
/// attacker.
std::string content_hash(std::span<const std::byte> bytes);
std::string content_hash(std::string_view text);

/// `relative` below `folder`, or an Error of kind input if it would leave it (absolute, "..", or a link
/// outward).
std::filesystem::path confined(const std::filesystem::path& folder, const std::filesystem::path& relative);

}  // namespace compress
