#include "libcompress/pipeline/plugin_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/base/files.h"
#include "libcompress/pipeline/guard.h"
#include "libcompress/pipeline/plugin_tag.h"

namespace compress {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestNames = 1 << 20;
constexpr std::uint64_t kLargestTag = 4096;

[[noreturn]] void refuse(const fs::path& path, std::string found, std::string allowed, std::string remedy) {
  throw Error(ErrorKind::plugin, {path.string(), std::move(found), std::move(allowed), std::move(remedy)});
}

[[noreturn]] void refuse_content(const fs::path& path, std::string found) {
  refuse(path, std::move(found), "a shared object built with find_package(libcompress)",
         "docs/plugins.md shows how to build one");
}

// --- the tag, read from the file as bytes: an offset or a size in it may say anything ---

/// `count` bytes of the file, which has them or is damaged.
std::vector<std::byte> bytes_at(const fs::path& path, std::uint64_t offset, std::uint64_t count) {
  try {
    return read_range(path, offset, count);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    refuse_content(path, "damaged, or no ELF file: it ends too early");
  }
}

template <typename Record>
std::vector<Record> records_at(const fs::path& path, std::uint64_t offset, std::uint64_t count) {
  const auto bytes = bytes_at(path, offset, count * sizeof(Record));
  std::vector<Record> records(count);
  if (!bytes.empty()) std::memcpy(records.data(), bytes.data(), bytes.size());
  return records;
}

std::string text_of(const fs::path& path, const Elf64_Shdr& section, std::uint64_t limit, const char* what) {
  if (section.sh_size > limit || section.sh_type == SHT_NOBITS)
    refuse_content(path, fmt::format("damaged: its {} of {} bytes", what, section.sh_size));
  const auto bytes = bytes_at(path, section.sh_offset, section.sh_size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Elf64_Ehdr header_of(const fs::path& path) {
  const auto header = records_at<Elf64_Ehdr>(path, 0, 1).front();
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) refuse_content(path, "no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    refuse_content(path, "an ELF file of another machine");
  if (header.e_type != ET_DYN) refuse_content(path, "an ELF file that is no shared object");
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum)
    refuse_content(path, "an ELF file without a table of sections");
  return header;
}

/// The zero-terminated text at `offset` of `names`; empty where that is outside.
std::string_view name_at(std::string_view names, std::uint32_t offset) {
  if (offset >= names.size()) return {};
  names.remove_prefix(offset);
  return names.substr(0, names.find('\0'));
}

// --- the tag compared ---

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// What a tag has may be anything: no control characters reach the terminal.
std::string printable(std::string_view text) {
  std::string clean(text.substr(0, 80));
  std::ranges::replace_if(clean, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return clean;
}

void check_tag(const fs::path& path) {
  const std::string tag = read_plugin_tag(path);
  const auto found = lines_of(tag);
  const auto own = lines_of(LIBCOMPRESS_PLUGIN_TAG);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (i < found.size() && found[i] == own[i]) continue;
    refuse(path,
           i < found.size() ? fmt::format("built for {}", printable(found[i])) : "a tag that ends early",
           std::string(own[i]), "build it against this library, with its compiler");
  }
  if (found.size() != own.size()) refuse_content(path, "a tag with more lines than this library knows");
}

// --- loading ---

using AddPlugins = void (*)(Plugins&);

/// Never closed: objects of its classes may live until the end.
AddPlugins open(const fs::path& path) {
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) refuse(path, fmt::format("cannot be loaded: {}", dlerror()), "", "");
  void* const entry = dlsym(handle, "libcompress_add_plugins");
  if (!entry) refuse_content(path, "it has a tag but no entry");
  return reinterpret_cast<AddPlugins>(entry);
}

/// What the file adds, in catalogs of its own.
Plugins offered_by(const fs::path& path) {
  const AddPlugins add = open(path);
  Plugins offered;
  try {
    add(offered);
  } catch (const Error& error) {
    throw Error(error.kind(), {path.string(), error.what(), "", ""});
  } catch (const std::exception& error) {
    refuse(path, fmt::format("an exception while it was loaded: {}", error.what()), "", "");
  }
  return offered;
}

std::string key_of(const std::string& noun, const std::string& name) {
  return fmt::format("{} '{}'", noun, name);
}

template <typename Kind>
void take_over(const Catalog<Kind>& offered, Catalog<Kind>& catalog, Plugins& plugins,
               const std::string& file) {
  const auto taken = catalog.names();
  for (const auto& name : offered.names()) {
    const auto key = key_of(offered.noun(), name);
    if (std::ranges::find(taken, name) != taken.end())
      refuse(file,
             fmt::format("it adds the {}, which there is: {}", key, plugins.origin(offered.noun(), name)),
             "a name of its own", "");
    const auto& entry = offered.entry(name);
    catalog.add(name, entry.summary, entry.options,
                guarded<Kind>(entry.make, fmt::format("{} of {}", key, file)));
    plugins.origins[key] = file;
  }
}

}  // namespace

std::string Plugins::origin(const std::string& noun, const std::string& name) const {
  const auto found = origins.find(key_of(noun, name));
  return found == origins.end() ? "built in" : found->second;
}

std::string read_plugin_tag(const fs::path& path) {
  const auto header = header_of(path);
  const auto sections = records_at<Elf64_Shdr>(path, header.e_shoff, header.e_shnum);
  const auto names = text_of(path, sections[header.e_shstrndx], kLargestNames, "section names");
  for (const auto& section : sections) {
    if (name_at(names, section.sh_name) != LIBCOMPRESS_TAG_SECTION) continue;
    auto tag = text_of(path, section, kLargestTag, "tag");
    return tag.substr(0, tag.find('\0'));
  }
  refuse_content(path, "a shared object that is no plugin of libcompress");
}

void load_plugin_file(const fs::path& path, Plugins& plugins) {
  std::error_code missing;
  const auto file = fs::canonical(path, missing);
  if (missing) throw Error(ErrorKind::io, {path.string(), missing.message(), "the file of a plugin", ""});
  if (std::ranges::find(plugins.files, file.string()) != plugins.files.end()) return;
  check_tag(file);
  const Plugins offered = offered_by(file);
  Plugins grown = plugins;  // all that the file adds, or nothing
  take_over(offered.models, grown.models, grown, file);
  take_over(offered.datasets, grown.datasets, grown, file);
  take_over(offered.criteria, grown.criteria, grown, file);
  take_over(offered.strategies, grown.strategies, grown, file);
  take_over(offered.observers, grown.observers, grown, file);
  take_over(offered.exporters, grown.exporters, grown, file);
  grown.files.push_back(file.string());
  plugins = std::move(grown);
}

}  // namespace compress
