// Every plugin the program knows, by kind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libcompress/base/catalog.h"
#include "libcompress/data/dataset.h"
#include "libcompress/export/exporter.h"
#include "libcompress/import/model_source.h"
#include "libcompress/quant/observer.h"
#include "libcompress/strategy/criterion.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

struct Plugins {
  Catalog<ModelSource> models{"model"};
  Catalog<DataSet> datasets{"data set"};
  Catalog<Criterion> criteria{"criterion"};
  Catalog<Strategy> strategies{"strategy"};
  Catalog<Observer> observers{"observer"};
  Catalog<Exporter> exporters{"exporter"};

  std::vector<std::string> files{};              ///< shared objects that were loaded: absolute, in order
  std::map<std::string, std::string> origins{};  ///< file by "criterion 'mine'"; what is not here is built in

  /// "built in", or the file that plugin `name` of kind `noun` comes from.
  std::string origin(const std::string& noun, const std::string& name) const;
};

/// Calls `use` with each catalog of `plugins`, const or not, in the order in which people want to see them.
template <typename SomePlugins, typename Use>
void for_each_catalog(SomePlugins& plugins, const Use& use) {
  use(plugins.models);
  use(plugins.datasets);
  use(plugins.criteria);
  use(plugins.strategies);
  use(plugins.observers);
  use(plugins.exporters);
}

}  // namespace compress
