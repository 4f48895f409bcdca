// C99 for microcontrollers: libcompress/export/c_writer.h as a plugin.
#include "libcompress/base/catalog.h"
#include "libcompress/export/c_writer.h"

namespace compress {
namespace {

class CExporter final : public Exporter {
 public:
  ExportResult run(const ExportRequest& request) const override { return write_c(request); }
};

}  // namespace

void register_c(Catalog<Exporter>& catalog);

void register_c(Catalog<Exporter>& catalog) {
  catalog.add("c", "C99 sources with weights, test program and build files for a computer and a Cortex-M4",
              {}, [](const Options&) { return std::make_unique<CExporter>(); });
}

}  // namespace compress
