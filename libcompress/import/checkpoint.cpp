#include "libcompress/import/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/import/torch_file.h"
#include "libcompress/import/zip.h"

namespace compress {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kLongestName = 4096;
constexpr std::int64_t kMostValues = 1'000'000;
constexpr std::int64_t kMostTensors = 100'000;
constexpr std::int64_t kMostTextBytes = std::int64_t{64} << 20;

/// A tensor may be larger than its bytes in the file (expanded, with strides of 0) or share them with others,
/// but only a hostile file needs more than this.
std::int64_t tensor_budget(std::size_t file_bytes) {
  return static_cast<std::int64_t>(file_bytes) * 8 + (std::int64_t{64} << 20);
}

bool is_scalar(PickleKind kind) {
  return kind != PickleKind::list && kind != PickleKind::tuple && kind != PickleKind::dict &&
         kind != PickleKind::call && kind != PickleKind::persistent;
}

bool is_sequence(PickleKind kind) { return kind == PickleKind::list || kind == PickleKind::tuple; }

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

/// Turns the object tree of a PyTorch file into a Checkpoint.
class Flattener {
 public:
  explicit Flattener(const TorchFile& file, std::size_t file_bytes)
      : file_(file), pickle_(file.pickle()), budget_bytes_(tensor_budget(file_bytes)) {}

  Checkpoint flatten() {
    if (pickle_.root().kind != PickleKind::dict)
      fail("the file", fmt::format("a {}", name_of(pickle_.root().kind)), "a dict of tensors",
           "save model.state_dict() with torch.save");
    find_state_dict();
    visit(pickle_.root_id(), "", 0, true);
    if (out_.tensors.empty())
      fail("the file", "no tensors", "at least one", "save model.state_dict() with torch.save");
    for (const auto& key : branch_) out_.prefix += (out_.prefix.empty() ? "" : ".") + key;
    return std::move(out_);
  }

 private:
  struct Child {
    std::string key;
    PickleId id;
  };

  [[noreturn]] void fail(std::string_view what, std::string found, std::string allowed = "",
                         std::string remedy = "") const {
    throw Error(ErrorKind::input, {fmt::format("{}: {}", file_.name(), what), std::move(found),
                                   std::move(allowed), std::move(remedy)});
  }

  /// Shared containers are walked once for each way to them, so a small file could make a walk without end.
  void count_value() {
    if (++values_ > kMostValues)
      fail("the file", fmt::format("more than {} values", kMostValues), "a state dict");
  }

  std::string key_text(PickleId id) {
    const auto& key = pickle_[id];
    spend_text(key.text.size());  // one long key may stand in many places
    if (key.kind == PickleKind::text) return key.text;
    if (key.kind == PickleKind::integer) return std::to_string(key.integer);
    fail("the file", fmt::format("a dict key of type {}", name_of(key.kind)), "text or a whole number");
  }

  /// The values of a container with their keys; the items of a sequence are numbered.
  std::vector<Child> children(const PickleObject& container) {
    std::vector<Child> all;
    if (container.kind == PickleKind::dict) {
      for (std::size_t i = 0; i + 1 < container.items.size(); i += 2)
        all.push_back({key_text(container.items[i]), container.items[i + 1]});
    } else {
      for (std::size_t i = 0; i < container.items.size(); ++i)
        all.push_back({std::to_string(i), container.items[i]});
    }
    return all;
  }

  /// Whether a tensor lies at or below `id`. Each object is answered once.
  bool holds_tensor(PickleId id, std::size_t depth = 0) {
    const auto& object = pickle_[id];
    if (object.kind == PickleKind::call) return true;
    if (is_scalar(object.kind) || object.kind == PickleKind::persistent) return false;
    if (depth > kDeepest) fail("the file", fmt::format("values nested more than {} deep", kDeepest));
    if (const auto known = holds_.find(id); known != holds_.end()) return known->second;
    holds_[id] = false;  // a container that holds itself adds nothing
    const std::size_t step = object.kind == PickleKind::dict ? 2 : 1;
    bool found = false;
    for (std::size_t i = step - 1; i < object.items.size(); i += step)
      found |= holds_tensor(object.items[i], depth + 1);
    return holds_[id] = found;
  }

  /// Whether `id` is a dict of nothing but tensors. Each object is answered once.
  bool is_all_tensors(PickleId id) {
    const auto& object = pickle_[id];
    if (object.kind != PickleKind::dict || object.items.empty()) return false;
    const auto [known, fresh] = all_tensors_.emplace(id, true);
    for (std::size_t i = 1; fresh && i < object.items.size(); i += 2)
      known->second &= pickle_[object.items[i]].kind == PickleKind::call;
    return known->second;
  }

  /// Follows the only branch with tensors downwards, or the only one that is a plain dict of tensors.
  void find_state_dict() {
    auto at = pickle_.root_id();
    while (branch_.size() < kDeepest) {
      std::vector<Child> holding, plain;
      for (auto& child : children(pickle_[at])) {
        if (!holds_tensor(child.id)) continue;
        if (pickle_[child.id].kind != PickleKind::dict) return;
        if (is_all_tensors(child.id)) plain.push_back(child);
        holding.push_back(std::move(child));
      }
      const auto& candidates = holding.size() == 1 ? holding : plain;
      if (candidates.size() != 1) return;
      branch_.push_back(candidates[0].key);
      at = candidates[0].id;
    }
  }

  /// `on_branch`: this object is on the way to the state dict, whose names start anew.
  void visit(PickleId id, const std::string& path, std::size_t depth, bool on_branch) {
    if (depth > kDeepest) fail("the file", fmt::format("values nested more than {} deep", kDeepest));
    const bool at_state_dict = on_branch && depth == branch_.size();
    if (at_state_dict) inside_ = true;
    for (const auto& child : children(pickle_[id])) {
      count_value();
      auto name = path.empty() || at_state_dict ? child.key : path + "." + child.key;
      if (name.size() > kLongestName) fail("the file", "a name of more than 4096 bytes");
      const bool follows = on_branch && depth < branch_.size() && child.key == branch_[depth];
      visit_value(child.id, name, depth + 1, follows);
    }
    if (at_state_dict) inside_ = false;
  }

  void visit_value(PickleId id, const std::string& name, std::size_t depth, bool on_branch) {
    const auto& object = pickle_[id];
    if (object.kind == PickleKind::call) {
      add_tensor(id, name);
    } else if (object.kind == PickleKind::persistent) {
      fail(in_quotes(name), "a bare storage", "tensors", "save model.state_dict() alone");
    } else if (object.kind == PickleKind::dict || (is_sequence(object.kind) && !holds_only_scalars(object))) {
      visit(id, name, depth, on_branch);
    } else if (is_sequence(object.kind) && holds_only_integers(object)) {
      add_list(object, full_name(name));
    } else {
      add_text(full_name(name), text_of(object));
    }
  }

  /// Values beside the tensors keep the name they have in the file.
  std::string full_name(const std::string& name) const {
    if (!inside_) return name;
    std::string full;
    for (const auto& key : branch_) full += key + ".";
    return full + name;
  }

  bool holds_only_scalars(const PickleObject& sequence) const {
    return std::all_of(sequence.items.begin(), sequence.items.end(),
                       [&](PickleId item) { return is_scalar(pickle_[item].kind); });
  }

  bool holds_only_integers(const PickleObject& sequence) const {
    return std::all_of(sequence.items.begin(), sequence.items.end(),
                       [&](PickleId item) { return pickle_[item].kind == PickleKind::integer; });
  }

  void add_tensor(PickleId id, const std::string& name) {
    if (++tensors_ > kMostTensors) fail("the file", fmt::format("more than {} tensors", kMostTensors));
    auto& group = inside_ ? out_.tensors : out_.other_tensors;
    if (group.contains(name)) fail(fmt::format("tensor {}", in_quotes(name)), "given twice");
    spend_text(name.size());
    group.emplace(name, file_.tensor(id, name, budget_bytes_));
  }

  void add_list(const PickleObject& sequence, const std::string& name) {
    spend_text(name.size() + sequence.items.size() * sizeof(std::int64_t));
    std::vector<std::int64_t> values;
    for (const auto item : sequence.items) values.push_back(pickle_[item].integer);
    if (!out_.lists.emplace(name, std::move(values)).second) fail(in_quotes(name), "given twice");
  }

  void add_text(const std::string& name, std::string text) {
    spend_text(name.size());
    if (!out_.metadata.emplace(name, std::move(text)).second) fail(in_quotes(name), "given twice");
  }

  std::string text_of(const PickleObject& object) {
    const auto value = json_of(object);
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  nlohmann::json json_of(const PickleObject& object) {
    spend_text(object.text.size() + sizeof(nlohmann::json));
    switch (object.kind) {
      case PickleKind::boolean:
        return object.integer != 0;
      case PickleKind::integer:
        return object.integer;
      case PickleKind::number:
        return std::isfinite(object.number) ? nlohmann::json(object.number)
                                            : nlohmann::json(fmt::format("{}", object.number));
      case PickleKind::text:
      case PickleKind::global:
        return object.text;
      case PickleKind::bytes:
      case PickleKind::big_integer:
        spend_text(object.text.size());
        return hexadecimal(object.text);
      case PickleKind::list:
      case PickleKind::tuple: {
        auto array = nlohmann::json::array();
        for (const auto item : object.items) array.push_back(json_of(pickle_[item]));
        return array;
      }
      default:
        return nullptr;
    }
  }

  void spend_text(std::size_t bytes) {
    text_bytes_ += static_cast<std::int64_t>(bytes);
    if (text_bytes_ > kMostTextBytes)
      fail("the file", fmt::format("more than {} bytes of names and values", kMostTextBytes), "a state dict");
  }

  const TorchFile& file_;
  const Pickle& pickle_;
  Checkpoint out_;
  std::vector<std::string> branch_;  ///< keys from the root to the state dict
  std::map<PickleId, bool> holds_;
  std::map<PickleId, bool> all_tensors_;
  bool inside_ = false;  ///< below the state dict
  std::int64_t budget_bytes_;
  std::int64_t values_ = 0;
  std::int64_t tensors_ = 0;
  std::int64_t text_bytes_ = 0;
};

Checkpoint from_torch(const TorchFile& file, std::size_t file_bytes, CheckpointFormat format) {
  auto checkpoint = Flattener(file, file_bytes).flatten();
  checkpoint.format = format;
  return checkpoint;
}

std::optional<std::vector<std::int64_t>> integer_list(const std::string& text) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  if (!text.starts_with('[') || text.starts_with("[[") || text.size() > kLongest) return std::nullopt;
  // Nothing but one flat list gets as far as the parser.
  if (text.find_first_not_of("[]0123456789-, \t\n") != std::string::npos) return std::nullopt;
  if (std::count(text.begin(), text.end(), '[') != 1) return std::nullopt;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const auto& item : json) {
    const bool beyond = item.is_number_unsigned() && item.get<std::uint64_t>() > std::uint64_t{INT64_MAX};
    if (!item.is_number_integer() || beyond) return std::nullopt;
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

Checkpoint from_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  auto file = parse_safetensors(bytes, name);
  Checkpoint checkpoint;
  checkpoint.format = CheckpointFormat::safetensors;
  checkpoint.tensors = std::move(file.tensors);
  if (checkpoint.tensors.empty()) throw Error(ErrorKind::input, {name, "no tensors", "at least one", ""});
  for (auto& [key, text] : file.metadata) {
    if (auto values = integer_list(text))
      checkpoint.lists.emplace(key, std::move(*values));
    else
      checkpoint.metadata.emplace(key, std::move(text));
  }
  return checkpoint;
}

struct Stranger {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
  std::string_view remedy;
};

/// Files that are brought here by mistake.
constexpr std::array kStrangers = {
    Stranger{0, "\x89HDF\r\n\x1a\n", "a Keras or HDF5 file", "convert its weights to safetensors"},
    Stranger{4, "TFL3", "a TensorFlow Lite model", "give the float checkpoint it was made from"},
    Stranger{257, "ustar", "a tar archive (PyTorch before 0.2 wrote these)",
             "save it again with a newer PyTorch"},
    Stranger{0, "\x93NUMPY", "a NumPy array", "save a state dict"},
    Stranger{0, "\x1f\x8b", "a gzip archive", "unpack it first"},
    Stranger{0, "version https://git-lfs", "a Git LFS pointer, not the file itself", "run git lfs pull"},
};

/// An ONNX model is a protobuf message: field 1 is the IR version, field 2 the producer's name or 7 the
/// graph.
bool is_onnx(std::span<const std::byte> bytes) {
  const auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  return bytes.size() > 4 && at(0) == 0x08 && at(1) >= 1 && at(1) <= 32 && (at(2) == 0x12 || at(2) == 0x3a);
}

[[noreturn]] void refuse(std::span<const std::byte> bytes, const std::string& name) {
  const std::string allowed = "safetensors or a PyTorch state dict (.pt, .pth)";
  if (bytes.empty()) throw Error(ErrorKind::input, {name, "an empty file", allowed, ""});
  if (is_onnx(bytes))
    throw Error(ErrorKind::input,
                {name, "an ONNX model, or the beginning of one", allowed, "save its weights as safetensors"});
  for (const auto& stranger : kStrangers) {
    const bool fits =
        bytes.size() >= stranger.offset + stranger.bytes.size() &&
        std::memcmp(bytes.data() + stranger.offset, stranger.bytes.data(), stranger.bytes.size()) == 0;
    if (fits)
      throw Error(ErrorKind::input,
                  {name, std::string(stranger.name), allowed, std::string(stranger.remedy)});
  }
  throw Error(ErrorKind::input, {name, "no format that we know",
                                 allowed + ", or, for a whole network, ONNX or TensorFlow Lite", ""});
}

struct NotFinite {
  std::size_t index;
  bool is_nan;
};

std::optional<NotFinite> first_not_finite(const Tensor& tensor) {
  const auto search = [](const auto values) -> std::optional<NotFinite> {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) return NotFinite{i, std::isnan(values[i])};
    return std::nullopt;
  };
  if (tensor.dtype() == DType::float64) return search(tensor.as<double>());
  if (tensor.dtype() != DType::float32 && tensor.dtype() != DType::float16) return std::nullopt;
  const Tensor wide = tensor.to_float32();
  return search(wide.as<float>());
}

/// "[3, 0, 2]": where element `at` of a row-major tensor lies.
std::string index_of(std::size_t at, const Shape& shape) {
  Shape index(shape.size());
  auto rest = static_cast<std::int64_t>(at);
  for (std::size_t i = shape.size(); i-- > 0; rest /= shape[i]) index[i] = rest % shape[i];
  return to_string(index);
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return parse_checkpoint(read_bytes(path), path.string());
}

Checkpoint parse_checkpoint(std::span<const std::byte> bytes, const std::string& name) {
  if (is_zip(bytes))
    return from_torch(TorchFile::parse_zip(bytes, name), bytes.size(), CheckpointFormat::torch_zip);
  if (is_safetensors(bytes)) return from_safetensors(bytes, name);
  if (!bytes.empty() && bytes[0] == std::byte{0x80})
    return from_torch(TorchFile::parse_legacy(bytes, name), bytes.size(), CheckpointFormat::torch_legacy);
  refuse(bytes, name);
}

void check_finite(const StateDict& tensors, std::string_view where) {
  for (const auto& [name, tensor] : tensors) {
    const auto at = first_not_finite(tensor);
    if (!at) continue;
    throw Error(ErrorKind::input, {fmt::format("{}: tensor {} at {}", where, in_quotes(name),
                                               index_of(at->index, tensor.shape())),
                                   at->is_nan ? "NaN" : "infinity", "finite numbers",
                                   "the training that made this file diverged, or the file is damaged"});
  }
}

std::string_view name_of(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::safetensors:
      return "safetensors";
    case CheckpointFormat::torch_zip:
      return "PyTorch (zip)";
    case CheckpointFormat::torch_legacy:
      return "PyTorch (legacy)";
  }
  return "unknown";
}

}  // namespace compress
