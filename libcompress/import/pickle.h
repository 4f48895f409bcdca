// The part of Python's pickle format that torch.save writes, read as data. Nothing is ever executed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "libcompress/import/bytes.h"

namespace compress {

/// Names an object of a Pickle. Objects refer to each other by id, so shared and cyclic ones need no
/// ownership.
using PickleId = std::uint32_t;

enum class PickleKind {
  none,
  boolean,      ///< integer is 0 or 1
  integer,      ///< integer
  big_integer,  ///< does not fit 64 bits; text is its little-endian two's complement
  number,       ///< number
  text,         ///< text, UTF-8
  bytes,        ///< text, any bytes
  list,         ///< items
  tuple,        ///< items
  dict,         ///< items: key, value, key, value, ... in the order of the file
  global,       ///< text is "module.name", one of the allowed list
  call,  ///< an allowed function that was not called: text is its name, items[0] the tuple of its arguments
  persistent,  ///< a reference to data outside the pickle: items[0] is the tuple that describes it
};

struct PickleObject {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;
  double number = 0;
  std::string text{};
  std::vector<PickleId> items{};
};

/// The objects of one pickle.
class Pickle {
 public:
  const PickleObject& operator[](PickleId id) const { return objects_[id]; }
  const PickleObject& root() const { return objects_[root_]; }
  PickleId root_id() const { return root_; }
  const std::deque<PickleObject>& objects() const { return objects_; }

 private:
  friend class PickleMachine;
  std::deque<PickleObject> objects_;
  PickleId root_ = 0;
};

/// What one pickle may cost. A state dict takes about 40 opcodes a tensor.
struct PickleLimits {
  std::int64_t opcodes = 1'000'000;     ///< also bounds the objects, the memo and the copied items
  std::size_t stack = 200'000;          ///< entries
  std::size_t marks = 10'000;           ///< open marks at once
  std::uint64_t text_bytes = 1u << 20;  ///< one text or byte string
};

/// Reads from `reader` up to and with the opcode STOP. Allowed are protocols 2 to 5, the opcodes and the
/// globals that a saved state dict needs (the tables in pickle.cpp). Everything else is an Error of kind
/// input that names it: "refused: global os.system".
Pickle read_pickle(ByteReader& reader, const PickleLimits& limits = {});

/// "list", "call", ... for messages.
const char* name_of(PickleKind kind);

}  // namespace compress
