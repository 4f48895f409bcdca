#include "libcompress/import/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {
namespace {

enum class Role {
  ordered_dict,  ///< its call makes a dict
  size,          ///< its call gives back its argument, a tuple
  rebuild,       ///< its call is recorded for the reader of tensors
  type,          ///< never called
};

struct AllowedGlobal {
  std::string_view name;
  Role role;
};

/// All that a pickle may name. A module or a class of the user's own is refused.
constexpr std::array kAllowedGlobals = {
    AllowedGlobal{"collections.OrderedDict", Role::ordered_dict},
    AllowedGlobal{"torch.Size", Role::size},
    AllowedGlobal{"torch._utils._rebuild_tensor", Role::rebuild},
    AllowedGlobal{"torch._utils._rebuild_tensor_v2", Role::rebuild},
    AllowedGlobal{"torch._utils._rebuild_parameter", Role::rebuild},
    AllowedGlobal{"torch.FloatStorage", Role::type},
    AllowedGlobal{"torch.DoubleStorage", Role::type},
    AllowedGlobal{"torch.HalfStorage", Role::type},
    AllowedGlobal{"torch.BFloat16Storage", Role::type},
    AllowedGlobal{"torch.LongStorage", Role::type},
    AllowedGlobal{"torch.IntStorage", Role::type},
    AllowedGlobal{"torch.ShortStorage", Role::type},
    AllowedGlobal{"torch.CharStorage", Role::type},
    AllowedGlobal{"torch.ByteStorage", Role::type},
    AllowedGlobal{"torch.BoolStorage", Role::type},
    AllowedGlobal{"torch.float32", Role::type},
    AllowedGlobal{"torch.float64", Role::type},
    AllowedGlobal{"torch.float16", Role::type},
    AllowedGlobal{"torch.bfloat16", Role::type},
    AllowedGlobal{"torch.int64", Role::type},
    AllowedGlobal{"torch.int32", Role::type},
    AllowedGlobal{"torch.int16", Role::type},
    AllowedGlobal{"torch.int8", Role::type},
    AllowedGlobal{"torch.uint8", Role::type},
    AllowedGlobal{"torch.bool", Role::type},
};

const AllowedGlobal* find_global(std::string_view name) {
  const auto found = std::find_if(kAllowedGlobals.begin(), kAllowedGlobals.end(),
                                  [&](const AllowedGlobal& each) { return each.name == name; });
  return found == kAllowedGlobals.end() ? nullptr : &*found;
}

/// The allowed opcodes, by Python's names (Lib/pickletools.py describes them).
enum class Op : std::uint8_t {
  mark = '(',
  stop = '.',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  binstring = 'T',
  short_binstring = 'U',
  binunicode = 'X',
  append = 'a',
  build = 'b',
  global = 'c',
  empty_dict = '}',
  appends = 'e',
  binget = 'h',
  long_binget = 'j',
  empty_list = ']',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  tuple = 't',
  empty_tuple = ')',
  setitems = 'u',
  binfloat = 'G',
  binbytes = 'B',
  short_binbytes = 'C',
  proto = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8a,
  short_binunicode = 0x8c,
  binunicode8 = 0x8d,
  binbytes8 = 0x8e,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

}  // namespace

/// The stack machine that a pickle is a program for. Each opcode costs work in proportion to the bytes it
/// takes from the file or to the stack entries it moves; what could copy more is paid for with spend().
class PickleMachine {
 public:
  PickleMachine(ByteReader& reader, const PickleLimits& limits) : reader_(reader), limits_(limits) {}

  Pickle run() {
    do {
      spend(1);
      at_ = reader_.position();
    } while (step(static_cast<Op>(reader_.u8())));
    return std::move(pickle_);
  }

 private:
  bool step(Op op);
  bool step_value(Op op);
  bool step_container(Op op);

  [[noreturn]] void fail(const std::string& found, const std::string& allowed = "",
                         const std::string& remedy = "") const {
    throw Error(ErrorKind::input, {fmt::format("{}, byte {}", reader_.name(), at_), found, allowed, remedy});
  }

  void spend(std::size_t work) {
    work_ += static_cast<std::int64_t>(work);
    if (work_ > limits_.opcodes)
      fail(fmt::format("a pickle of more than {} steps", limits_.opcodes), "the size of a saved state dict");
  }

  PickleObject& object(PickleId id) { return pickle_.objects_[id]; }

  PickleId add(PickleObject object) {
    pickle_.objects_.push_back(std::move(object));
    return static_cast<PickleId>(pickle_.objects_.size() - 1);
  }

  void push(PickleId id) {
    if (stack_.size() >= limits_.stack)
      fail(fmt::format("a pickle that stacks more than {} values", limits_.stack),
           "the size of a saved state dict");
    stack_.push_back(id);
  }
  void push(PickleObject object) { push(add(std::move(object))); }
  void push_integer(std::int64_t value) { push({.kind = PickleKind::integer, .integer = value}); }

  /// Values below the last mark belong to a container that is still being filled.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleId pop() {
    if (stack_.size() <= floor()) fail("a pickle that takes more values than it has");
    const auto id = stack_.back();
    stack_.pop_back();
    return id;
  }

  PickleId top() const {
    if (stack_.size() <= floor()) fail("a pickle that takes more values than it has");
    return stack_.back();
  }

  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("a pickle that closes what it did not open");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::vector<PickleId> pop_some(std::size_t count) {
    std::vector<PickleId> items(count);
    for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
    return items;
  }

  void push_string(PickleKind kind, std::uint64_t length) {
    if (length > limits_.text_bytes)
      fail(fmt::format("a string of {} bytes", length), fmt::format("at most {}", limits_.text_bytes));
    const auto text = reader_.text(length);
    if (kind == PickleKind::text && !is_utf8(text)) fail("text that is not UTF-8");
    push({.kind = kind, .text = std::string(text)});
  }

  void push_long(std::size_t length) {
    const auto digits = reader_.take(length);
    if (length > 8) {
      push({.kind = PickleKind::big_integer, .text = {reinterpret_cast<const char*>(digits.data()), length}});
      return;
    }
    const bool negative = length > 0 && std::to_integer<int>(digits[length - 1]) >= 0x80;
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = length; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(digits[i]);
    push_integer(std::bit_cast<std::int64_t>(value));
  }

  void push_float() {  // the one big-endian number of the format
    std::uint64_t bits = 0;
    for (const auto byte : reader_.take(8)) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
    push({.kind = PickleKind::number, .number = std::bit_cast<double>(bits)});
  }

  void push_global(std::string_view module, std::string_view name) {
    auto full = fmt::format("{}.{}", module, name);
    if (!find_global(full)) {
      const auto shown = in_quotes(full);
      fail("refused: global " + shown.substr(1, shown.size() - 2), "tensors, numbers, texts, lists and dicts",
           "load the file in PyTorch where you trust it, and save model.state_dict() alone");
    }
    push({.kind = PickleKind::global, .text = std::move(full)});
  }

  void stack_global() {
    const auto name = pop(), module = pop();
    if (object(name).kind != PickleKind::text || object(module).kind != PickleKind::text)
      fail("a global whose name is not text");
    push_global(object(module).text, object(name).text);
  }

  void append(PickleId list, const std::vector<PickleId>& items) {
    if (object(list).kind != PickleKind::list) fail("items appended to what is not a list");
    auto& all = object(list).items;
    all.insert(all.end(), items.begin(), items.end());
  }

  void set_items(PickleId dict, const std::vector<PickleId>& items) {
    if (object(dict).kind != PickleKind::dict) fail("keys set in what is not a dict");
    if (items.size() % 2 != 0) fail("a key without a value");
    auto& all = object(dict).items;
    all.insert(all.end(), items.begin(), items.end());
  }

  void reduce() {
    const auto arguments = pop(), function = pop();
    const auto* known =
        object(function).kind == PickleKind::global ? find_global(object(function).text) : nullptr;
    if (!known || known->role == Role::type || object(arguments).kind != PickleKind::tuple)
      fail("refused: a call of what is no known function");
    switch (known->role) {
      case Role::ordered_dict:
        push(ordered_dict(arguments));
        break;
      case Role::size:
        push(only_tuple(arguments));
        break;
      case Role::rebuild:
        push({.kind = PickleKind::call, .text = std::string(known->name), .items = {arguments}});
        break;
      case Role::type:
        break;
    }
  }

  /// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
  PickleId ordered_dict(PickleId arguments) {
    std::vector<PickleId> items;
    const auto& given = object(arguments).items;
    if (given.size() > 1) fail("an OrderedDict of several arguments");
    if (given.size() == 1) {
      const auto& pairs = object(given[0]);
      if (pairs.kind != PickleKind::list) fail("an OrderedDict that is not made from a list");
      spend(2 * pairs.items.size());
      for (const auto pair : pairs.items) {
        const auto& two = object(pair);
        const bool is_pair =
            (two.kind == PickleKind::list || two.kind == PickleKind::tuple) && two.items.size() == 2;
        if (!is_pair) fail("an OrderedDict that is not made from pairs");
        items.insert(items.end(), two.items.begin(), two.items.end());
      }
    }
    return add({.kind = PickleKind::dict, .items = std::move(items)});
  }

  PickleId only_tuple(PickleId arguments) {
    const auto& given = object(arguments).items;
    if (given.size() != 1 || object(given[0]).kind != PickleKind::tuple)
      fail("a torch.Size that is not of a tuple");
    return given[0];
  }

  /// A state dict carries its modules' versions as an attribute; nothing here needs them.
  void build() {
    const auto state = pop();
    if (object(state).kind != PickleKind::dict || object(top()).kind != PickleKind::dict)
      fail("refused: attributes set on what is not a dict");
  }

  void persistent() {
    const auto id = pop();
    if (object(id).kind != PickleKind::tuple) fail("a persistent id that is not a tuple");
    push({.kind = PickleKind::persistent, .items = {id}});
  }

  void get(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail(fmt::format("memo entry {} is used before it is set", key));
    push(found->second);
  }

  void stop() {
    pickle_.root_ = pop();
    if (!stack_.empty() || !marks_.empty()) fail("a pickle that ends with values left over");
  }

  ByteReader& reader_;
  const PickleLimits& limits_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleId> memo_;
  std::int64_t work_ = 0;
  std::size_t at_ = 0;  ///< position of the opcode at work
};

bool PickleMachine::step(Op op) {
  switch (op) {
    case Op::proto:
      if (const int protocol = reader_.u8(); protocol < 2 || protocol > 5)
        fail(fmt::format("pickle protocol {}", protocol), "2 to 5");
      return true;
    case Op::frame:
      reader_.u64();
      return true;  // a hint for buffering
    case Op::binput:
      memo_[reader_.u8()] = top();
      return true;
    case Op::long_binput:
      memo_[reader_.u32()] = top();
      return true;
    case Op::memoize:
      memo_[static_cast<std::uint32_t>(memo_.size())] = top();
      return true;
    case Op::binget:
      get(reader_.u8());
      return true;
    case Op::long_binget:
      get(reader_.u32());
      return true;
    case Op::global: {
      constexpr std::size_t kLongestName = 256;
      const auto module = reader_.line(kLongestName);
      push_global(module, reader_.line(kLongestName));
      return true;
    }
    case Op::stack_global:
      stack_global();
      return true;
    case Op::reduce:
      reduce();
      return true;
    case Op::build:
      build();
      return true;
    case Op::binpersid:
      persistent();
      return true;
    case Op::stop:
      stop();
      return false;
    default:
      if (!step_value(op) && !step_container(op))
        fail(fmt::format("refused: pickle opcode 0x{:02x}", static_cast<int>(op)),
             "those of a saved state dict", "save model.state_dict() alone");
      return true;
  }
}

/// Opcodes that push one plain value. False if `op` is none of them.
bool PickleMachine::step_value(Op op) {
  switch (op) {
    case Op::none:
      push({.kind = PickleKind::none});
      return true;
    case Op::newtrue:
      push({.kind = PickleKind::boolean, .integer = 1});
      return true;
    case Op::newfalse:
      push({.kind = PickleKind::boolean, .integer = 0});
      return true;
    case Op::binint:
      push_integer(std::bit_cast<std::int32_t>(reader_.u32()));
      return true;
    case Op::binint1:
      push_integer(reader_.u8());
      return true;
    case Op::binint2:
      push_integer(reader_.u16());
      return true;
    case Op::long1:
      push_long(reader_.u8());
      return true;
    case Op::binfloat:
      push_float();
      return true;
    case Op::binunicode:
      push_string(PickleKind::text, reader_.u32());
      return true;
    case Op::short_binunicode:
      push_string(PickleKind::text, reader_.u8());
      return true;
    case Op::binunicode8:
      push_string(PickleKind::text, reader_.u64());
      return true;
    case Op::binstring:
      push_string(PickleKind::text, reader_.u32());
      return true;  // Python 2's str
    case Op::short_binstring:
      push_string(PickleKind::text, reader_.u8());
      return true;
    case Op::binbytes:
      push_string(PickleKind::bytes, reader_.u32());
      return true;
    case Op::short_binbytes:
      push_string(PickleKind::bytes, reader_.u8());
      return true;
    case Op::binbytes8:
      push_string(PickleKind::bytes, reader_.u64());
      return true;
    default:
      return false;
  }
}

/// Opcodes that make or fill a container. False if `op` is none of them.
bool PickleMachine::step_container(Op op) {
  switch (op) {
    case Op::mark:
      if (marks_.size() >= limits_.marks) fail("a pickle that nests too deeply");
      marks_.push_back(stack_.size());
      return true;
    case Op::empty_list:
      push({.kind = PickleKind::list});
      return true;
    case Op::empty_dict:
      push({.kind = PickleKind::dict});
      return true;
    case Op::empty_tuple:
      push({.kind = PickleKind::tuple});
      return true;
    case Op::tuple1:
      push({.kind = PickleKind::tuple, .items = pop_some(1)});
      return true;
    case Op::tuple2:
      push({.kind = PickleKind::tuple, .items = pop_some(2)});
      return true;
    case Op::tuple3:
      push({.kind = PickleKind::tuple, .items = pop_some(3)});
      return true;
    case Op::tuple:
      push({.kind = PickleKind::tuple, .items = pop_to_mark()});
      return true;
    case Op::append: {
      const auto item = pop_some(1);
      append(top(), item);
      return true;
    }
    case Op::appends: {
      const auto items = pop_to_mark();
      append(top(), items);
      return true;
    }
    case Op::setitem: {
      const auto pair = pop_some(2);
      set_items(top(), pair);
      return true;
    }
    case Op::setitems: {
      const auto pairs = pop_to_mark();
      set_items(top(), pairs);
      return true;
    }
    default:
      return false;
  }
}

Pickle read_pickle(ByteReader& reader, const PickleLimits& limits) {
  return PickleMachine(reader, limits).run();
}

const char* name_of(PickleKind kind) {
  switch (kind) {
    case PickleKind::none:
      return "None";
    case PickleKind::boolean:
      return "bool";
    case PickleKind::integer:
    case PickleKind::big_integer:
      return "int";
    case PickleKind::number:
      return "float";
    case PickleKind::text:
      return "str";
    case PickleKind::bytes:
      return "bytes";
    case PickleKind::list:
      return "list";
    case PickleKind::tuple:
      return "tuple";
    case PickleKind::dict:
      return "dict";
    case PickleKind::global:
      return "type";
    case PickleKind::call:
      return "tensor";
    case PickleKind::persistent:
      return "storage";
  }
  return "object";
}

}  // namespace compress
