// What a pruning leaves of one node, said by hand: for tests of literals.
#pragma once

#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "libcompress/graph/flow.h"
#include "libcompress/graph/op.h"

namespace compress::testing {

/// A node with one input or several; indices survive as `kept` says by (input, axis), all elsewhere.
class SaidRemains final : public Remains {
 public:
  using Indices = std::vector<std::int64_t>;

  SaidRemains(std::string op, const Attributes& attributes, std::vector<Shape> before,
              std::vector<Shape> after)
      : op_(find_op(op, "n")),
        attributes_(checked_attributes(op_, "n", attributes)),
        before_(std::move(before)),
        after_(std::move(after)),
        call_{"n", attributes_, before_},
        output_(op_.shape(call_)) {}

  SaidRemains& keeps(std::size_t input, int axis, Indices indices) {
    kept_[{input, axis}] = std::move(indices);
    return *this;
  }
  SaidRemains& keeps_of_output(int axis, Indices indices) { return keeps(kOutput, axis, std::move(indices)); }

  Rewrite resized() const { return op_.resize(*this); }

  const OpCall& before() const override { return call_; }
  const Shape& input(std::size_t i) const override { return after_[i]; }
  const Shape& output_before() const override { return output_; }
  Indices kept(std::size_t input, int axis) const override { return look_up(input, axis, before_[input]); }
  Indices kept_of_output(int axis) const override { return look_up(kOutput, axis, output_); }

 private:
  static constexpr std::size_t kOutput = 1000;

  Indices look_up(std::size_t input, int axis, const Shape& shape) const {
    const auto found = kept_.find({input, axis});
    if (found != kept_.end()) return found->second;
    Indices all(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  const Op& op_;
  Attributes attributes_;
  std::vector<Shape> before_, after_;
  OpCall call_;
  Shape output_;
  std::map<std::pair<std::size_t, int>, Indices> kept_;
};

}  // namespace compress::testing
