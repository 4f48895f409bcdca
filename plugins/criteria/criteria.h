// The criteria that come with the library.
#pragma once

#include "libcompress/base/catalog.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

void register_bn_scale(Catalog<Criterion>& catalog);
void register_fisher(Catalog<Criterion>& catalog);
void register_geometric_median(Catalog<Criterion>& catalog);
void register_lamp(Catalog<Criterion>& catalog);
void register_magnitude(Catalog<Criterion>& catalog);
void register_normalized_taylor(Catalog<Criterion>& catalog);
void register_random(Catalog<Criterion>& catalog);
void register_taylor(Catalog<Criterion>& catalog);

}  // namespace compress
