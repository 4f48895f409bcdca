#include "libcompress/pipeline/checkpoints.h"

#include <algorithm>

#include "libcompress/pipeline/model_file.h"

namespace compress {
namespace {

constexpr std::size_t kRemembered = 3;  // the unpruned network, what a step starts from, what it makes

}  // namespace

void Checkpoints::save(std::string_view name, const Model& model) {
  folder_.later([file = folder_.checkpoint(name), model] { save_model(file, model); });
  remember(name, model);
}

Model Checkpoints::load(std::string_view name) {
  const auto found = std::ranges::find(newest_, name, &std::pair<std::string, Model>::first);
  if (found == newest_.end()) {
    folder_.settle();  // it may have been forgotten before it was written
    return remember(name, load_model(folder_.checkpoint(name), nullptr));
  }
  newest_.splice(newest_.begin(), newest_, found);
  return found->second;
}

Model& Checkpoints::remember(std::string_view name, Model model) {
  newest_.remove_if([&](const auto& each) { return each.first == name; });
  newest_.emplace_front(name, std::move(model));
  if (newest_.size() > kRemembered) newest_.pop_back();
  return newest_.front().second;
}

}  // namespace compress
