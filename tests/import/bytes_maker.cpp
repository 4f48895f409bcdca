#include "bytes_maker.h"

#include <bit>

#include "libcompress/base/files.h"

#define compress zlib_compress  // zlib's function of that name cannot stand beside our namespace
#include <zlib.h>
#undef compress

namespace compress {

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string number(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::string make_zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
    const auto facts = number(0, 2) + number(0, 2) + number(0, 4) + number(crc, 4) +
                       number(content.size(), 4) + number(content.size(), 4) + number(name.size(), 2) +
                       number(0, 2);
    directory += "PK\x01\x02" + number(20, 2) + number(20, 2) + facts + number(0, 2) + number(0, 2) +
                 number(0, 2) + number(0, 4) + number(file.size(), 4) + name;
    file += "PK\x03\x04" + number(20, 2) + facts + name + content;
  }
  const auto offset = file.size();
  file += directory;
  return file + "PK\x05\x06" + number(0, 4) + number(entries.size(), 2) + number(entries.size(), 2) +
         number(directory.size(), 4) + number(offset, 4) + number(0, 2);
}

std::string make_torch_zip(const std::string& program,
                           const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<std::pair<std::string, std::string>> entries = {{"t/data.pkl", program}, {"t/version", "3\n"}};
  for (const auto& [key, content] : storages) entries.emplace_back("t/data/" + key, content);
  return make_zip(entries);
}

std::string make_torch_legacy(const std::string& program, const std::string& tail) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string protocol("\x80\x02M\xe9\x03.", 6);
  const std::string system = "\x80\x02}" + pickle_text("little_endian") + "\x88s.";
  return magic + protocol + system + program + tail;
}

std::string pickle_text(std::string_view text) { return "X" + number(text.size(), 4) + std::string(text); }

std::string pickle_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string pickle_integer(std::int64_t value) {
  return std::string("\x8a\x08") + number(std::bit_cast<std::uint64_t>(value), 8);
}

std::string pickle_tensor(const TensorWords& words) {
  const auto tuple = [](const std::vector<std::int64_t>& values) {
    std::string text = "(";
    for (const auto value : values) text += pickle_integer(value);
    return text + "t";
  };
  const auto storage = "(" + pickle_text("storage") + pickle_global("torch", words.type) + pickle_text("0") +
                       pickle_text("cpu") + pickle_integer(words.count) + "tQ";
  return pickle_global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + pickle_integer(words.offset) +
         tuple(words.shape) + tuple(words.strides) + "\x89" + pickle_global("collections", "OrderedDict") +
         ")RtR";
}

std::string one_tensor(const TensorWords& words) {
  return "\x80\x02}" + pickle_text("a") + pickle_tensor(words) + "s.";
}

std::string fixture_path(std::string_view name) {
  return std::string(COMPRESS_SOURCE_DIR "/tests/import/fixtures/") + std::string(name);
}

std::string fixture(std::string_view name) { return read_text(fixture_path(name)); }

}  // namespace compress
