#include "libcompress/strategy/slice_sums.h"

#include <gmock/gmock.h>

namespace compress {
namespace {

/// Whole numbers, so that every order of additions gives the same sums.
std::vector<float> whole_numbers(const Shape& shape, int modulus) {
  std::vector<float> numbers(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(static_cast<int>(i * i) % modulus - modulus / 2);
  return numbers;
}

double term_by_hand(const Terms& terms, std::size_t i) {
  const double a = terms.a[i];
  switch (terms.kind) {
    case Terms::Kind::absolute:
      return std::abs(a);
    case Terms::Kind::square:
      return a * a;
    case Terms::Kind::product:
      return a * terms.b[i];
    case Terms::Kind::absolute_product:
      return std::abs(a * terms.b[i]);
  }
  return 0.0;
}

/// Element by element, from the definition.
std::vector<double> sums_by_hand(const Shape& shape, std::int32_t axis, const Terms& terms) {
  std::vector<double> sums(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]), 0.0);
  for (std::size_t i = 0; i < terms.a.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i), index = std::int64_t{0};
    for (auto d = static_cast<std::int32_t>(shape.size()) - 1; d >= axis; --d) {
      index = rest % shape[static_cast<std::size_t>(d)];
      rest /= shape[static_cast<std::size_t>(d)];
    }
    sums[static_cast<std::size_t>(index)] += term_by_hand(terms, i);
  }
  return sums;
}

TEST(SliceSums, are_those_of_the_definition_along_every_axis) {
  for (const Shape& shape :
       {Shape{5}, Shape{3, 7}, Shape{4, 1}, Shape{3, 40, 2}, Shape{2, 9, 3, 3}, Shape{2, 3, 20}}) {
    const auto a = whole_numbers(shape, 17), b = whole_numbers(shape, 13);
    for (const auto& terms :
         {Terms{Terms::Kind::absolute, a}, Terms{Terms::Kind::square, a}, Terms{Terms::Kind::product, a, b},
          Terms{Terms::Kind::absolute_product, a, b}}) {
      SliceSums sums([&](const Value&) { return terms; });
      const Value value{ValueId{0}, "w", ValueKind::parameter, DType::float32, shape};
      for (std::int32_t axis = 0; axis < static_cast<std::int32_t>(shape.size()); ++axis) {
        const auto expected = sums_by_hand(shape, axis, terms);
        EXPECT_EQ(slice_sums(shape, axis, terms), expected) << to_string(shape) << " axis " << axis;
        EXPECT_THAT(sums.of(value, axis), ::testing::ElementsAreArray(expected)) << to_string(shape);
      }
    }
  }
}

TEST(SliceSums, leave_out_a_value_without_terms) {
  SliceSums sums([](const Value&) { return Terms{}; });
  EXPECT_TRUE(sums.of(Value{ValueId{0}, "w", ValueKind::parameter, DType::float32, {2, 3}}, 1).empty());
}

TEST(Criteria, credit_what_goes_with_an_index) {
  const GroupMember member{{ValueId{0}, 1}, {{0, 2}, {1}}};
  Scores scores = {10, 20};
  credit(member, std::vector<double>{1, 2, 4}, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(15, 22));
}

}  // namespace
}  // namespace compress
