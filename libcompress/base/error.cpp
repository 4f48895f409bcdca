#include "libcompress/base/error.h"

namespace compress {

std::string to_string(const Complaint& complaint) {
  std::string text;
  const auto add = [&text](const std::string& separator, const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += separator;
    text += part;
  };
  add("", complaint.where);
  add(": ", complaint.found);
  add("; allowed: ", complaint.allowed);
  add("; ", complaint.remedy);
  return text;
}

Error::Error(ErrorKind kind, const Complaint& complaint)
    : std::runtime_error(to_string(complaint)), kind_(kind) {}

Error::Error(ErrorKind kind, const std::string& sentence) : std::runtime_error(sentence), kind_(kind) {}

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::recipe:
      return "recipe";
    case ErrorKind::input:
      return "input";
    case ErrorKind::budget:
      return "budget";
    case ErrorKind::accuracy:
      return "accuracy";
    case ErrorKind::io:
      return "io";
    case ErrorKind::plugin:
      return "plugin";
    case ErrorKind::interrupted:
      return "interrupted";
  }
  return "unknown";
}

}  // namespace compress
