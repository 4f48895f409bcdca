#include "libcompress/import/translated.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {

void refuse(const std::string& file, const Translated& translated,
            const std::vector<std::string>& operators) {
  const auto& failures = translated.failures;
  auto sentence = fmt::format("{}: {}", file, failures.front());
  if (failures.size() > 1) sentence += fmt::format(", and {} more cannot be read", failures.size() - 1);
  if (translated.lacks_operator)
    sentence += fmt::format("; supported operators: {}", fmt::join(operators, ", "));
  throw Error(ErrorKind::input, sentence);
}

}  // namespace compress
