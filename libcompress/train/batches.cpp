#include "libcompress/train/batches.h"

#include <numeric>
#include <span>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Keeps the numbers of the shuffle apart from those of the examples.
constexpr std::uint64_t kShuffleSalt = 0x5f3c9a7be1d24608ULL;

}  // namespace

TrainingBatches::TrainingBatches(const DataSet& data, std::int64_t batch_size, std::uint64_t seed)
    : data_(data), seed_(seed), size_(data.size(Part::train)), count_((size_ + batch_size - 1) / batch_size) {
  if (size_ == 0)
    throw Error(ErrorKind::input,
                {"training data (" + data.description() + ")", "no examples", "at least one", ""});
}

std::int64_t TrainingBatches::smallest() const { return size_ / count_; }

Batch TrainingBatches::make(std::int64_t epoch, std::int64_t index) const {
  std::vector<std::size_t> order(static_cast<std::size_t>(size_));
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto shuffling = Random::stream(seed_ ^ kShuffleSalt, static_cast<std::uint64_t>(epoch));
  shuffling.shuffle(order);

  const auto first = index * size_ / count_;
  const auto last = (index + 1) * size_ / count_;
  const auto input_size = static_cast<std::size_t>(element_count(data_.input_shape()));
  const auto target_size = static_cast<std::size_t>(data_.target_count());
  Batch batch;
  batch.count = last - first;
  batch.inputs.resize(static_cast<std::size_t>(batch.count) * input_size);
  batch.targets.resize(static_cast<std::size_t>(batch.count) * target_size);
  for (auto place = first; place < last; ++place) {
    const auto at = static_cast<std::size_t>(place - first);
    auto random = Random::stream(seed_, static_cast<std::uint64_t>(epoch * size_ + place));
    data_.training_example(static_cast<std::int64_t>(order[static_cast<std::size_t>(place)]), random,
                           std::span(batch.inputs).subspan(at * input_size, input_size),
                           std::span(batch.targets).subspan(at * target_size, target_size));
  }
  return batch;
}

}  // namespace compress
