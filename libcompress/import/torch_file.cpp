#include "libcompress/import/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/import/zip.h"

namespace compress {
namespace {

constexpr std::size_t kMostDimensions = 32;
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;
constexpr std::size_t kLongestKey = 64;
constexpr std::size_t kMostPickleBytes = std::size_t{32} << 20;

[[noreturn]] void fail(std::string where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

std::optional<StorageType> storage_type(std::string_view global) {
  if (global == "torch.FloatStorage") return StorageType{DType::float32};
  if (global == "torch.DoubleStorage") return StorageType{DType::float64};
  if (global == "torch.HalfStorage") return StorageType{DType::float16};
  if (global == "torch.BFloat16Storage") return StorageType{DType::int16, true};
  if (global == "torch.LongStorage") return StorageType{DType::int64};
  if (global == "torch.IntStorage") return StorageType{DType::int32};
  if (global == "torch.ShortStorage") return StorageType{DType::int16};
  if (global == "torch.CharStorage") return StorageType{DType::int8};
  if (global == "torch.ByteStorage") return StorageType{DType::uint8};
  if (global == "torch.BoolStorage") return StorageType{DType::boolean};
  return std::nullopt;
}

/// ("storage", class, key, device, element count[, view]) as the pickle describes a storage.
const std::string& storage_key(const Pickle& pickle, const PickleObject& persistent,
                               const std::string& where) {
  const auto& items = pickle[persistent.items[0]].items;
  const bool formed = (items.size() == 5 || items.size() == 6) && pickle[items[0]].kind == PickleKind::text &&
                      pickle[items[0]].text == "storage" && pickle[items[1]].kind == PickleKind::global &&
                      pickle[items[2]].kind == PickleKind::text &&
                      pickle[items[4]].kind == PickleKind::integer;
  if (!formed)
    fail(where, "a reference to outside data that is no storage", "('storage', type, key, device, count)");
  if (items.size() == 6 && pickle[items[5]].kind != PickleKind::none)
    fail(where, "a storage that is a view of another", "whole storages",
         "save it again with PyTorch 0.4 or later");
  const auto& key = pickle[items[2]].text;
  if (key.size() > kLongestKey)
    fail(where, fmt::format("a storage key of {} bytes", key.size()), fmt::format("at most {}", kLongestKey));
  return key;
}

TorchStorage declared_storage(const Pickle& pickle, const PickleObject& persistent,
                              const std::string& where) {
  const auto& items = pickle[persistent.items[0]].items;
  const auto& type_name = pickle[items[1]].text;
  const auto type = storage_type(type_name);
  if (!type) fail(where, "a storage of type " + type_name, "torch.FloatStorage and the like");
  const auto count = pickle[items[4]].integer;
  if (count < 0 || count > kMostElements)
    fail(where, fmt::format("a storage of {} elements", count), fmt::format("0 .. {}", kMostElements));
  return {*type, count};
}

std::int64_t storage_bytes(const TorchStorage& storage) {
  return checked_mul(storage.count, static_cast<std::int64_t>(size_of(storage.type.dtype)),
                     "bytes of a storage");
}

/// A tensor as a window on a storage, checked to lie inside it.
struct Layout {
  const TorchStorage* storage = nullptr;
  std::int64_t offset = 0;  ///< elements
  Shape shape;
  Shape strides;  ///< elements
  std::int64_t count = 0;
};

/// Reads the arguments of one call of torch._utils._rebuild_tensor_v2 and its kin.
class LayoutReader {
 public:
  using Storages = std::map<std::string, TorchStorage, std::less<>>;

  LayoutReader(const Pickle& pickle, const Storages& storages, std::string where)
      : pickle_(pickle), storages_(storages), where_(std::move(where)) {}

  Layout read(PickleId id) const {
    const auto* call = &pickle_[id];
    if (call->text == "torch._utils._rebuild_parameter") call = &parameter(*call);
    const auto& items = arguments(*call);
    const bool plain = call->text == "torch._utils._rebuild_tensor" && items.size() == 4;
    const bool second =
        call->text == "torch._utils._rebuild_tensor_v2" && (items.size() == 6 || items.size() == 7);
    if (!plain && !second)
      fail(where_, "a tensor described in an unknown way", "torch._utils._rebuild_tensor_v2");
    if (second) check_extras(items);
    Layout layout;
    layout.storage = &storage(items[0]);
    layout.offset = integer(items[1], "offset");
    layout.shape = integers(items[2], "shape");
    layout.strides = integers(items[3], "strides");
    check(layout);
    return layout;
  }

 private:
  const std::vector<PickleId>& arguments(const PickleObject& call) const {
    return pickle_[call.items[0]].items;
  }

  /// (tensor, requires_grad, backward_hooks)
  const PickleObject& parameter(const PickleObject& call) const {
    const auto& items = arguments(call);
    if (items.size() != 3 || pickle_[items[0]].kind != PickleKind::call)
      fail(where_, "a parameter that is not made from a tensor");
    return pickle_[items[0]];
  }

  /// requires_grad, backward_hooks and metadata: only what leaves the values alone.
  void check_extras(const std::vector<PickleId>& items) const {
    const auto& hooks = pickle_[items[5]];
    if (hooks.kind != PickleKind::dict || !hooks.items.empty())
      fail(where_, "a tensor with backward hooks", "a plain tensor", "save model.state_dict() alone");
    if (items.size() == 7) {
      const auto& metadata = pickle_[items[6]];
      const bool empty =
          metadata.kind == PickleKind::none || (metadata.kind == PickleKind::dict && metadata.items.empty());
      if (!empty) fail(where_, "a tensor with metadata (conjugate or negative view)", "a plain tensor");
    }
  }

  const TorchStorage& storage(PickleId id) const {
    if (pickle_[id].kind != PickleKind::persistent) fail(where_, "a tensor without a storage");
    const auto& key = storage_key(pickle_, pickle_[id], where_);
    return storages_.find(key)->second;  // every persistent object of the pickle was declared
  }

  std::int64_t integer(PickleId id, std::string_view what) const {
    if (pickle_[id].kind != PickleKind::integer || pickle_[id].integer < 0)
      fail(where_, fmt::format("{} {}", what, shown(id)), "whole numbers from 0 up");
    return pickle_[id].integer;
  }

  Shape integers(PickleId id, std::string_view what) const {
    const auto& tuple = pickle_[id];
    if (tuple.kind != PickleKind::tuple && tuple.kind != PickleKind::list)
      fail(where_, fmt::format("{} of type {}", what, name_of(tuple.kind)), "a tuple of whole numbers");
    if (tuple.items.size() > kMostDimensions)
      fail(where_, fmt::format("{} dimensions", tuple.items.size()),
           fmt::format("at most {}", kMostDimensions));
    Shape values;
    for (const auto item : tuple.items) values.push_back(integer(item, what));
    return values;
  }

  std::string shown(PickleId id) const {
    const auto& object = pickle_[id];
    return object.kind == PickleKind::integer ? std::to_string(object.integer) : name_of(object.kind);
  }

  void check(Layout& layout) const {
    if (layout.shape.size() != layout.strides.size())
      fail(where_, fmt::format("{} extents and {} strides", layout.shape.size(), layout.strides.size()));
    layout.count = checked_product(layout.shape, where_);
    auto end = layout.offset;  // one past the last element
    if (layout.count > 0) {
      for (std::size_t i = 0; i < layout.shape.size(); ++i)
        end = checked_add(end, checked_mul(layout.shape[i] - 1, layout.strides[i], where_), where_);
      end = checked_add(end, 1, where_);
    }
    if (end > layout.storage->count)
      fail(where_,
           fmt::format("the tensor reaches to element {} of a storage of {}", end, layout.storage->count),
           "tensors inside their storage");
  }

  const Pickle& pickle_;
  const Storages& storages_;
  std::string where_;
};

bool is_dense(const Layout& layout) {
  std::int64_t expected = 1;
  for (std::size_t i = layout.shape.size(); i-- > 0;) {
    if (layout.shape[i] != 1 && layout.strides[i] != expected) return false;
    expected *= layout.shape[i];
  }
  return true;
}

/// Copies the elements in row-major order.
void gather(const Layout& layout, std::span<std::byte> to) {
  const auto width = size_of(layout.storage->type.dtype);
  const auto* from = layout.storage->bytes.data() + static_cast<std::size_t>(layout.offset) * width;
  if (is_dense(layout)) {
    std::copy_n(from, to.size(), to.begin());
    return;
  }
  Shape index(layout.shape.size(), 0);
  std::int64_t element = 0;
  for (std::size_t at = 0; at < to.size(); at += width) {
    std::memcpy(to.data() + at, from + static_cast<std::size_t>(element) * width, width);
    for (std::size_t i = index.size(); i-- > 0;) {
      element += layout.strides[i];
      if (++index[i] < layout.shape[i]) break;
      element -= layout.shape[i] * layout.strides[i];
      index[i] = 0;
    }
  }
}

Tensor widen_bfloat16(const Tensor& halves) {
  Tensor wide(DType::float32, halves.shape());
  const auto from = halves.as<std::int16_t>();
  const auto to = wide.as<float>();
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(static_cast<std::uint16_t>(from[i])) << 16);
  return wide;
}

/// The folder inside the archive that holds data.pkl; torch.save names it after the file.
std::string top_folder(const ZipArchive& archive, const std::string& name) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string top;
  for (const auto& [entry, where] : archive.entries()) {
    const auto slash = entry.find('/');
    if (slash == std::string::npos || std::string_view(entry).substr(slash) != kPickle) continue;
    if (!top.empty()) fail(name, "two folders with a data.pkl in one archive", "one");
    top = entry.substr(0, slash + 1);
  }
  if (top.empty())
    fail(name, "a zip archive without data.pkl", "a file that torch.save wrote",
         "save model.state_dict() with torch.save");
  return top;
}

void refuse_torchscript(const ZipArchive& archive, const std::string& top, const std::string& name) {
  const auto code = archive.entries().lower_bound(top + "code/");
  const bool has_code = code != archive.entries().end() && code->first.starts_with(top + "code/");
  if (archive.has(top + "constants.pkl") || has_code)
    fail(name, "a TorchScript program", "a state dict",
         "load it with torch.jit.load and save its state_dict() with torch.save");
}

void check_marks(const ZipArchive& archive, const std::string& top, const std::string& name) {
  const auto text = [&](const std::string& entry) {
    const auto bytes = archive.read(entry);
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  if (archive.has(top + "byteorder") && text(top + "byteorder") != "little")
    fail(name, "byte order " + in_quotes(text(top + "byteorder")), "'little'",
         "save it on a little-endian machine");
  auto version = text(top + "version");
  if (version.ends_with('\n')) version.remove_suffix(1);
  constexpr std::array<std::string_view, 10> kVersions = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
  if (std::find(kVersions.begin(), kVersions.end(), version) == kVersions.end())
    fail(name, "file format version " + in_quotes(version), "1 to 10");
}

void check_system(const Pickle& system, const std::string& where) {
  const auto& root = system.root();
  if (root.kind != PickleKind::dict) fail(where, "system information that is not a dict");
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const auto& key = system[root.items[i]];
    const auto& value = system[root.items[i + 1]];
    if (key.kind == PickleKind::text && key.text == "little_endian" &&
        !(value.kind == PickleKind::boolean && value.integer == 1))
      fail(where, "a big-endian file", "little-endian", "save it on a little-endian machine");
  }
}

/// 0x1950a86a20f9469cfc6c
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kLegacyProtocol = 1001;

/// The three pickles before the object.
void read_legacy_head(ByteReader& reader) {
  constexpr PickleLimits kSmall{.opcodes = 1000, .stack = 100, .marks = 10, .text_bytes = 100};
  const auto magic = read_pickle(reader, kSmall);
  if (magic.root().kind != PickleKind::big_integer || magic.root().text != kLegacyMagic)
    fail(reader.name(), "a pickle that torch.save did not write", "a PyTorch checkpoint",
         "save model.state_dict() with torch.save");
  const auto protocol = read_pickle(reader, kSmall);
  if (protocol.root().kind != PickleKind::integer || protocol.root().integer != kLegacyProtocol)
    reader.fail("an unknown version of the older PyTorch format", std::to_string(kLegacyProtocol));
  check_system(read_pickle(reader, kSmall), reader.where());
}

}  // namespace

TorchFile::TorchFile(std::string name, Pickle pickle) : name_(std::move(name)), pickle_(std::move(pickle)) {
  declare_storages();
}

/// Notes every storage that the pickle refers to; their bytes follow.
void TorchFile::declare_storages() {
  for (const auto& object : pickle_.objects()) {
    if (object.kind != PickleKind::persistent) continue;
    const auto& key = storage_key(pickle_, object, name_);
    const auto where = fmt::format("{}: storage {}", name_, in_quotes(key));
    const auto storage = declared_storage(pickle_, object, where);
    const auto [known, added] = storages_.emplace(key, storage);
    const auto& earlier = known->second;
    if (!added && (earlier.count != storage.count || earlier.type.dtype != storage.type.dtype ||
                   earlier.type.bfloat16 != storage.type.bfloat16))
      fail(where, "described in two ways");
  }
}

TorchFile TorchFile::parse_zip(std::span<const std::byte> bytes, const std::string& name) {
  const ZipArchive archive(bytes, name);
  const auto top = top_folder(archive, name);
  refuse_torchscript(archive, top, name);
  check_marks(archive, top, name);

  const auto program = archive.read(top + "data.pkl");
  if (program.size() > kMostPickleBytes)
    fail(name, fmt::format("a data.pkl of {} bytes", program.size()),
         fmt::format("at most {}", kMostPickleBytes));
  ByteReader reader(program, name + ": data.pkl");
  TorchFile file(name, read_pickle(reader));
  if (reader.remaining() != 0) reader.fail(fmt::format("{} bytes after the pickle", reader.remaining()));

  for (auto& [key, storage] : file.storages_) {
    storage.bytes = archive.read(top + "data/" + key);
    const auto expected = storage_bytes(storage);
    if (static_cast<std::int64_t>(storage.bytes.size()) != expected)
      fail(fmt::format("{}: storage {}", name, in_quotes(key)), fmt::format("{} bytes", storage.bytes.size()),
           fmt::format("{}", expected), "the file is damaged");
  }
  return file;
}

TorchFile TorchFile::parse_legacy(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  read_legacy_head(reader);
  TorchFile file(name, read_pickle(reader));
  const auto keys = read_pickle(reader);
  if (keys.root().kind != PickleKind::list) reader.fail("storage keys that are not a list");

  std::set<std::string_view> seen;
  for (const auto item : keys.root().items) {
    const auto& key = keys[item];
    const auto storage = file.storages_.find(key.text);
    if (key.kind != PickleKind::text || storage == file.storages_.end() || !seen.insert(key.text).second)
      reader.fail("storage key " + in_quotes(key.text) + " is unknown or repeated");
    if (const auto count = reader.i64(); count != storage->second.count)
      reader.fail(fmt::format("{} elements in storage {}", count, in_quotes(key.text)),
                  fmt::format("{}", storage->second.count), "the file is damaged");
    storage->second.bytes = reader.take(static_cast<std::uint64_t>(storage_bytes(storage->second)));
  }
  if (seen.size() != file.storages_.size())
    reader.fail(fmt::format("{} storages", seen.size()), fmt::format("{}", file.storages_.size()));
  if (reader.remaining() != 0)
    reader.fail(fmt::format("{} bytes after the last storage", reader.remaining()));
  return file;
}

Tensor TorchFile::tensor(PickleId id, std::string_view what, std::int64_t& budget_bytes) const {
  const auto where = fmt::format("{}: tensor {}", name_, in_quotes(what));
  const auto layout = LayoutReader(pickle_, storages_, where).read(id);
  const auto type = layout.storage->type;
  // A bfloat16 tensor is held twice for a moment: 2 bytes as it lies and 4 widened.
  const auto width = static_cast<std::int64_t>(type.bfloat16 ? 6 : size_of(type.dtype));
  const auto cost = checked_mul(layout.count, width, where);
  if (cost > budget_bytes)
    fail(where, fmt::format("{} elements, far more than the file holds", layout.count),
         "tensors that fill the file", "call .contiguous() on expanded tensors or save fewer of them");
  budget_bytes -= cost;
  Tensor dense(type.dtype, layout.shape);
  if (layout.count > 0) gather(layout, dense.bytes());
  return type.bfloat16 ? widen_bfloat16(dense) : dense;
}

}  // namespace compress
