#include "libcompress/import/npy.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "bytes_maker.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string npy(const std::string& header, const std::string& elements) {
  const auto line = header + "\n";
  return "\x93NUMPY" + number(1, 1) + number(0, 1) + number(line.size(), 2) + line + elements;
}

const std::string kBytes =
    npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }", "\x01\x02\x03\x04\x05\xff");

std::string refusal(const std::string& file) {
  const auto error = error_of([&] { parse_npy(bytes_of(file), "a.npy"); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

TEST(Npy, reads_shape_and_elements) {
  const auto tensor = parse_npy(bytes_of(kBytes), "a.npy");
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_THAT(tensor.as<std::int8_t>(), ElementsAre(1, 2, 3, 4, 5, -1));
  const auto scalar = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\x07");
  EXPECT_THAT(parse_npy(bytes_of(scalar), "a.npy").as<std::uint8_t>(), ElementsAre(7));
  const auto vector = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", "\x07");
  EXPECT_EQ(parse_npy(bytes_of(vector), "a.npy").shape(), (Shape{1}));
}

TEST(Npy, refuses_what_it_does_not_read_and_says_what_to_save_instead) {
  EXPECT_THAT(refusal("hello"), HasSubstr("np.save"));
  EXPECT_THAT(refusal(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (0,), }", "")),
              HasSubstr("astype('float32')"));
  EXPECT_THAT(refusal(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "x")),
              HasSubstr("'|O'"));
  EXPECT_THAT(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,), }", "")),
              HasSubstr("records"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (0,), }", "")),
              HasSubstr("ascontiguousarray"));
}

TEST(Npy, refuses_every_cut_and_hostile_sizes) {
  for (std::size_t size = 0; size < kBytes.size(); ++size) refusal(kBytes.substr(0, size));
  refusal(kBytes + "x");
  refusal(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }", ""));
  refusal(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", ""));
  refusal(npy("{'descr': '<f8', 'shape': (0,), }", ""));
}

TEST(Npz, gives_the_arrays_of_an_archive_by_name) {
  const auto file = make_zip({{"a.npy", kBytes}, {"b.npy", kBytes}});
  const auto arrays = parse_arrays(bytes_of(file), "a.npz");
  EXPECT_EQ(arrays.size(), 2U);
  EXPECT_TRUE(arrays.contains("b"));
}

TEST(Npz, gives_examples_of_one_shape_in_one_piece) {
  const auto path = std::filesystem::path(testing::TempDir()) / "libcompress_examples.npz";
  const auto write = [&](const std::string& content) { std::ofstream(path, std::ios::binary) << content; };
  write(make_zip({{"a.npy", kBytes}, {"b.npy", kBytes}}));
  const auto examples = read_examples(path);
  EXPECT_EQ(examples.shape(), (Shape{4, 3}));
  EXPECT_THAT(examples.as<float>(), ElementsAre(1, 2, 3, 4, 5, -1, 1, 2, 3, 4, 5, -1));
  const auto other = npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2), }", "\x01\x02");
  write(make_zip({{"a.npy", kBytes}, {"b.npy", other}}));
  EXPECT_THAT(error_of([&] { read_examples(path); }).what(), HasSubstr("'b'"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace compress
