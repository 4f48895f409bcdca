#include "libcompress/import/pickle.h"

#include <gmock/gmock.h>

#include "bytes_maker.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

Pickle read(const std::string& program, const PickleLimits& limits = {}) {
  ByteReader reader(bytes_of(program), "f.pkl");
  return read_pickle(reader, limits);
}

std::string refusal(const std::string& program, const PickleLimits& limits = {}) {
  const auto error = error_of([&] { read(program, limits); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

TEST(Pickle, reads_plain_values) {
  EXPECT_EQ(read("\x80\x02N.").root().kind, PickleKind::none);
  EXPECT_EQ(read("\x80\x02\x88.").root().integer, 1);
  EXPECT_EQ(read("\x80\x02J\xfe\xff\xff\xff.").root().integer, -2);
  EXPECT_EQ(read(std::string("\x80\x02\x8a\x02\x00\xff.", 7)).root().integer, -256);
  EXPECT_EQ(read(std::string("\x80\x02\x8a\x00.", 5)).root().integer, 0);
  EXPECT_EQ(read(std::string("\x80\x02G\x3f\xf8\0\0\0\0\0\0.", 12)).root().number, 1.5);
  EXPECT_EQ(read("\x80\x02" + pickle_text("hi") + ".").root().text, "hi");
  EXPECT_EQ(read(pickle_integer(INT64_MIN) + ".").root().integer, INT64_MIN);
}

TEST(Pickle, keeps_integers_beyond_64_bits_as_their_bytes) {
  const auto pickle = read(
      "\x8a\x09"
      "123456789.");
  EXPECT_EQ(pickle.root().kind, PickleKind::big_integer);
  EXPECT_EQ(pickle.root().text, "123456789");
}

TEST(Pickle, reads_containers_and_shares_memoized_ones) {
  const auto pickle = read(
      "]q\x01(K\x01h\x01K\x02\x85"
      "e.");
  ASSERT_EQ(pickle.root().items.size(), 3u);
  EXPECT_EQ(pickle.root().items[1], pickle.root_id());
  EXPECT_EQ(pickle[pickle.root().items[2]].kind, PickleKind::tuple);
}

TEST(Pickle, reads_an_ordered_dict_of_python_2) {
  const auto program = pickle_global("collections", "OrderedDict") +
                       "](](K\x01K\x02"
                       "eK\x03K\x04\x86"
                       "e\x85R.";
  const auto pickle = read(program);
  EXPECT_EQ(pickle.root().kind, PickleKind::dict);
  ASSERT_EQ(pickle.root().items.size(), 4u);
  EXPECT_EQ(pickle[pickle.root().items[2]].integer, 3);
}

TEST(Pickle, records_calls_and_makes_none) {
  const auto pickle = read(pickle_tensor({}) + ".");
  EXPECT_EQ(pickle.root().kind, PickleKind::call);
  EXPECT_EQ(pickle.root().text, "torch._utils._rebuild_tensor_v2");
}

TEST(Pickle, refuses_any_other_global_by_name) {
  for (const auto& [module, name] : {std::pair{"os", "system"},
                                     {"builtins", "eval"},
                                     {"torch", "load"},
                                     {"torch.nn.modules.linear", "Linear"}})
    EXPECT_THAT(refusal(pickle_global(module, name) + "."),
                HasSubstr(std::string("refused: global ") + module + "." + name));
  EXPECT_THAT(refusal("\x8c\x02os\x8c\x06system\x93."), HasSubstr("refused: global os.system"));
}

TEST(Pickle, refuses_opcodes_that_make_objects) {
  for (const char op : {'i', 'o', '\x81', '\x92', 'P', '\x82', '2', 'I', 'S', 'V', 'd', 'l', '\x97'})
    EXPECT_THAT(refusal(std::string("NN") + op + "."), HasSubstr("refused: pickle opcode"));
}

TEST(Pickle, refuses_a_call_of_a_type_and_attributes_of_a_tensor) {
  EXPECT_THAT(refusal(pickle_global("torch", "FloatStorage") + ")R."), HasSubstr("refused: a call"));
  EXPECT_THAT(refusal("K\x01)R."), HasSubstr("refused: a call"));
  EXPECT_THAT(refusal(pickle_tensor({}) + "}b."), HasSubstr("refused: attributes"));
}

TEST(Pickle, refuses_stack_underflow_even_across_a_mark) {
  EXPECT_THAT(refusal("."), HasSubstr("more values than it has"));
  EXPECT_THAT(refusal("]K\x01(a."), HasSubstr("more values than it has"));
  EXPECT_THAT(refusal("t."), HasSubstr("closes what it did not open"));
  EXPECT_THAT(refusal("NN."), HasSubstr("left over"));
  EXPECT_THAT(refusal("}(K\x01u."), HasSubstr("without a value"));
}

TEST(Pickle, refuses_a_memo_entry_before_it_is_set) {
  EXPECT_THAT(refusal("h\x07."), HasSubstr("memo entry 7"));
}

TEST(Pickle, refuses_a_string_longer_than_the_file) {
  EXPECT_THAT(refusal("X" + number(1000, 4) + "abc"), HasSubstr("needed"));
  EXPECT_THAT(refusal("X" + number(0xffffffff, 4) + "abc"), HasSubstr("at most"));
  EXPECT_THAT(refusal("\x8d" + number(~std::uint64_t{0}, 8) + "abc"), HasSubstr("at most"));
}

TEST(Pickle, refuses_text_that_is_not_utf8) {
  EXPECT_THAT(refusal(pickle_text("\xff") + "."), HasSubstr("UTF-8"));
}

TEST(Pickle, keeps_its_limits) {
  EXPECT_THAT(refusal(std::string(100, 'N'), {.opcodes = 50}), HasSubstr("more than 50 steps"));
  EXPECT_THAT(refusal(std::string(100, 'N'), {.stack = 50}), HasSubstr("more than 50 values"));
  EXPECT_THAT(refusal(std::string(20'000, '(')), HasSubstr("nests too deeply"));
}

TEST(Pickle, refuses_protocols_of_text) {
  EXPECT_THAT(refusal(std::string("\x80\x00N.", 4)), HasSubstr("protocol 0"));
}

}  // namespace
}  // namespace compress
