// The one exception type of the library: a user's mistake, told so that it can be mended.
#pragma once

#include <stdexcept>
#include <string>

namespace compress {

/// What went wrong, in classes that a script can tell apart. The values are the command's exit codes.
enum class ErrorKind {
  usage = 2,          ///< the command line or the arguments of an API call
  recipe = 3,         ///< the recipe file
  input = 4,          ///< a model, checkpoint, data set or array that is not what it should be
  budget = 5,         ///< what was asked for cannot be reached or does not fit the target
  accuracy = 6,       ///< the accuracy gate failed
  io = 7,             ///< the operating system refused a read or a write
  plugin = 8,         ///< a plugin is missing, wrong or threw
  interrupted = 130,  ///< stopped by the user at a safe point
};

/// The parts of a good error message. Empty parts are left out.
struct Complaint {
  std::string where;    ///< "recipe.yaml:12:5", "node 'conv3'", "tensor 'fc.weight'"
  std::string found;    ///< what was found there
  std::string allowed;  ///< what is allowed instead
  std::string remedy;   ///< what to do about it
};

/// Thrown for every mistake that is not a bug of the library. A broken invariant of our own asserts instead.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const Complaint& complaint);
  Error(ErrorKind kind, const std::string& sentence);

  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

/// "where: found; allowed: allowed; remedy".
std::string to_string(const Complaint& complaint);

/// "recipe", "input", ... as used in JSON output.
const char* name_of(ErrorKind kind);

}  // namespace compress
