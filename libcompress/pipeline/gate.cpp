#include "libcompress/pipeline/gate.h"

#include <fmt/format.h>

namespace compress {
namespace {

constexpr double kRounding = 1e-9;  // of accuracies, in percent

}  // namespace

std::optional<Complaint> missed(const GateOptions& gate, double unpruned, double now) {
  const double drop = 100 * (unpruned - now);
  if (gate.max_drop && drop > *gate.max_drop + kRounding)
    return Complaint{"gate.max_drop", fmt::format("{:.2f} points lost", drop),
                     fmt::format("{:g} at most", *gate.max_drop),
                     "fine-tune longer, or give a larger budget"};
  if (gate.min_accuracy && 100 * now < *gate.min_accuracy - kRounding)
    return Complaint{"gate.min_accuracy", fmt::format("{:.2f} %", 100 * now),
                     fmt::format("{:g} % or more", *gate.min_accuracy), ""};
  return std::nullopt;
}

}  // namespace compress
