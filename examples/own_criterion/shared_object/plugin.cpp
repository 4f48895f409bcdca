// What makes a plugin file of ../peak.cpp.
#include <libcompress/pipeline/plugin.h>

namespace compress {
void register_peak(Catalog<Criterion>& catalog);
}

LIBCOMPRESS_PLUGIN(plugins) { compress::register_peak(plugins.criteria); }
