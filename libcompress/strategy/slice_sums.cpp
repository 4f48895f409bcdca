#include "libcompress/strategy/slice_sums.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "libcompress/base/vector_width.h"

namespace compress {
namespace {

constexpr std::size_t kLanes = 16;  // one sum would wait for each addition before the next
constexpr std::size_t kBlock = 8 * kLanes;
constexpr std::size_t kAhead = 4 * kBlock;

/// Asks memory for the block `kAhead` behind `begin`, earlier than the processor would by itself. Behind a
/// row comes the next one; behind the last row nothing is there to ask for.
[[gnu::always_inline]] inline void fetch_ahead(std::span<const float> row_and_rest, std::size_t begin) {
  if (begin + kAhead + kBlock > row_and_rest.size()) return;
  for (std::size_t i = 0; i < kBlock; i += kLanes) __builtin_prefetch(&row_and_rest[begin + kAhead + i]);
}

/// Adds the terms 0 .. count - 1 to `columns`, element by element, and returns their sum. `from` is what they
/// are made of, and what comes behind it.
template <typename Term>
[[gnu::always_inline]] inline double add_terms(std::span<const float> from, std::size_t count,
                                               double* columns, Term term) {
  double lanes[kLanes] = {};
  const auto whole = count / kLanes * kLanes;
  for (std::size_t begin = 0; begin < whole; begin += kBlock) {
    fetch_ahead(from, begin);
    const auto end = std::min(begin + kBlock, whole);
    for (std::size_t i = begin; i < end; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const double each = term(i + lane);
        columns[i + lane] += each;
        lanes[lane] += each;
      }
    }
  }
  for (std::size_t i = whole; i < count; ++i) {
    const double each = term(i);
    columns[i] += each;
    lanes[i % kLanes] += each;
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

COMPRESS_BY_VECTOR_WIDTH
double add_absolutes(std::span<const float> a, std::size_t count, double* columns) {
  return add_terms(a, count, columns, [a](std::size_t i) { return static_cast<double>(std::fabs(a[i])); });
}

COMPRESS_BY_VECTOR_WIDTH
double add_squares(std::span<const float> a, std::size_t count, double* columns) {
  return add_terms(a, count, columns, [a](std::size_t i) {
    const auto each = static_cast<double>(a[i]);
    return each * each;
  });
}

COMPRESS_BY_VECTOR_WIDTH
double add_products(std::span<const float> a, std::span<const float> b, std::size_t count, double* columns) {
  return add_terms(a, count, columns,
                   [a, b](std::size_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

COMPRESS_BY_VECTOR_WIDTH
double add_absolute_products(std::span<const float> a, std::span<const float> b, std::size_t count,
                             double* columns) {
  return add_terms(a, count, columns, [a, b](std::size_t i) {
    return std::fabs(static_cast<double>(a[i]) * static_cast<double>(b[i]));
  });
}

[[maybe_unused]] bool is_product(Terms::Kind kind) {
  return kind == Terms::Kind::product || kind == Terms::Kind::absolute_product;
}

/// The terms `first` .. `first + columns.size() - 1`, added to `columns`; returns their sum.
double add(const Terms& terms, std::size_t first, std::vector<double>& columns) {
  const auto a = terms.a.subspan(first);
  switch (terms.kind) {
    case Terms::Kind::absolute:
      return add_absolutes(a, columns.size(), columns.data());
    case Terms::Kind::square:
      return add_squares(a, columns.size(), columns.data());
    case Terms::Kind::product:
      return add_products(a, terms.b.subspan(first), columns.size(), columns.data());
    case Terms::Kind::absolute_product:
      return add_absolute_products(a, terms.b.subspan(first), columns.size(), columns.data());
  }
  return 0.0;
}

/// Sums of `run` numbers each.
std::vector<double> sums_of_runs(std::vector<double> numbers, std::size_t run) {
  if (run == 1) return numbers;
  std::vector<double> sums(run == 0 ? 0 : numbers.size() / run, 0.0);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    for (std::size_t k = 0; k < run; ++k) sums[i] += numbers[i * run + k];
  }
  return sums;
}

std::size_t extent(const Shape& shape, std::size_t begin, std::size_t end) {
  std::size_t product = 1;
  for (std::size_t i = begin; i < end; ++i) product *= static_cast<std::size_t>(shape[i]);
  return product;
}

/// Sums along axes 0 and 1 of a tensor of rank 2 or more, in one visit.
std::array<std::vector<double>, 2> sums_of_both(const Shape& shape, const Terms& terms) {
  std::vector<double> rows(static_cast<std::size_t>(shape[0]));
  std::vector<double> columns(extent(shape, 1, shape.size()), 0.0);
  for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = add(terms, r * columns.size(), columns);
  return {std::move(rows), sums_of_runs(std::move(columns), extent(shape, 2, shape.size()))};
}

}  // namespace

std::vector<double> slice_sums(const Shape& shape, std::int32_t axis, const Terms& terms) {
  assert(axis >= 0 && static_cast<std::size_t>(axis) < shape.size());
  assert(terms.a.size() == extent(shape, 0, shape.size()));
  assert(!is_product(terms.kind) || terms.b.size() == terms.a.size());
  const auto at = static_cast<std::size_t>(axis);
  std::vector<double> columns(extent(shape, at, shape.size()), 0.0);
  const auto outer = extent(shape, 0, at);
  for (std::size_t o = 0; o < outer; ++o) add(terms, o * columns.size(), columns);
  return sums_of_runs(std::move(columns), extent(shape, at + 1, shape.size()));
}

std::span<const double> SliceSums::of(const Value& value, std::int32_t axis) {
  const Axis wanted{value.id, axis};
  if (const auto found = known_.find(wanted); found != known_.end()) return found->second;
  const auto terms = terms_of_(value);
  if (terms.a.empty()) return known_[wanted];
  if (axis > 1 || value.shape.size() < 2) return known_[wanted] = slice_sums(value.shape, axis, terms);
  auto both = sums_of_both(value.shape, terms);
  known_[{value.id, 0}] = std::move(both[0]);
  known_[{value.id, 1}] = std::move(both[1]);
  return known_[wanted];
}

std::vector<Scores> sums_of_groups(std::span<const PruningGroup> groups, const Graph& graph,
                                   SliceSums& sums) {
  std::vector<Scores> all;
  for (const auto& group : groups) {
    auto& scores = all.emplace_back(static_cast<std::size_t>(group.size), 0.0);
    for (const auto& member : group.members)
      credit(member, sums.of(graph.value(member.axis.value), member.axis.dimension), scores);
  }
  return all;
}

}  // namespace compress
