// A catalog of plugins of one kind: name, one line about it, its options, and how it is made.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/base/options.h"

namespace compress {

/// Plugins of the interface `Kind`. Explicit registration only: a self-registering object in a static archive
/// is dropped by the linker without a word. Adding a name twice is an error.
template <typename Kind>
class Catalog {
 public:
  using Factory = std::function<std::unique_ptr<Kind>(const Options&)>;

  struct Entry {
    std::string name;
    std::string summary;  ///< one line
    OptionTable options;
    Factory make;
  };

  /// `noun` names the kind in messages: "criterion", "data set".
  explicit Catalog(std::string noun) : noun_(std::move(noun)) {}

  void add(std::string name, std::string summary, OptionTable options, Factory make) {
    auto key = name;
    Entry entry{std::move(name), std::move(summary), std::move(options), std::move(make)};
    if (!entries_.emplace(key, std::move(entry)).second)
      throw Error(ErrorKind::plugin,
                  {noun_ + " '" + key + "'", "registered twice", "one plugin per name", ""});
  }

  /// Error of kind plugin, with the nearest known name, if there is none of this name.
  const Entry& entry(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    const auto near = nearest_name(name, names());
    std::string known;
    for (const auto& each : names()) known += (known.empty() ? "" : ", ") + each;
    throw Error(ErrorKind::plugin, {noun_ + " '" + std::string(name) + "'", "no such plugin", known,
                                    near.empty() ? "" : "did you mean '" + near + "'?"});
  }

  std::unique_ptr<Kind> make(std::string_view name, const std::map<std::string, OptionValue>& options) const {
    const auto& found = entry(name);
    return found.make(Options::checked(found.options, options, noun_ + " '" + std::string(name) + "'"));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) all.push_back(name);
    return all;
  }

  const std::string& noun() const { return noun_; }

 private:
  std::string noun_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace compress
