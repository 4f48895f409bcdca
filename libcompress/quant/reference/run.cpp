#include "libcompress/quant/reference/run.h"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace compress::reference {

void Run::set_input(Bytes input) {
  const auto id = graph_.inputs[0];
  data_[index_of(id)] = Tensor(DType::int8, value(id).shape);
  std::copy(input.begin(), input.end(), data_[index_of(id)].as<std::int8_t>().begin());
}

std::vector<std::int8_t> Run::bytes(QValueId id) const {
  const auto levels = tensor(id).as<std::int8_t>();
  return {levels.begin(), levels.end()};
}

template <typename T>
void Run::compute_into(const QNode& node, const Prepared& prepared, Tensor& to) {
  std::visit(
      [&](const auto& op) {
        auto output = to.as<T>();
        using Op = std::remove_cvref_t<decltype(op)>;
        if constexpr (std::is_same_v<T, std::int8_t> || takes_int16<Op>) compute(op, node, prepared, output);
      },
      node.op);
}

void Run::execute(std::size_t position) {
  const auto& node = graph_.nodes[position];
  auto& output = data_[index_of(node.output)];
  output = Tensor(value(node.output).dtype, value(node.output).shape);
  if (output.dtype() == DType::int16)
    compute_into<std::int16_t>(node, prepared_[position], output);
  else
    compute_into<std::int8_t>(node, prepared_[position], output);
}

}  // namespace compress::reference
