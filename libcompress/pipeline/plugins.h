// Every plugin the program knows, by kind.
#pragma once

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
};

}  // namespace compress
