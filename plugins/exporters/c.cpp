// C99 for microcontrollers: libcompress/export/c_writer.h as a plugin.
#include <filesystem>

#include "libcompress/base/catalog.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/export/verify.h"

namespace compress {
namespace {

CMemory memory_of(const std::string& choice) {
  return choice == "auto" ? CMemory::least : choice == "stream" ? CMemory::stream : CMemory::whole;
}

class CExporter final : public Exporter {
 public:
  explicit CExporter(CMemory memory) : memory_(memory) {}

  ExportResult run(const ExportRequest& request) const override { return write_c(request, memory_); }

  ExportProof prove(const ExportRequest& request, const ExportResult& result) const override {
    HostBuild host = compile_for_host(result, request.name);
    const auto compiler = std::filesystem::path(host.compiler).filename().string();
    return {"C code compiled for this computer equals the int8 reference", std::move(host.network),
            host.skipped.empty() ? compiler : host.skipped};
  }

  bool tests_microcontrollers() const override { return true; }

 private:
  CMemory memory_;
};

const OptionTable& options() {
  static const OptionTable kOptions = {
      {.name = "memory",
       .type = OptionType::string,
       .help = "whole tensors, rows as they become possible (stream), or what takes fewer bytes (auto)",
       .fallback = std::string("whole"),
       .choices = {"auto", "whole", "stream"}}};
  return kOptions;
}

}  // namespace

void register_c(Catalog<Exporter>& catalog);

void register_c(Catalog<Exporter>& catalog) {
  catalog.add(
      "c", "C99 sources with weights, test program and build files for a computer and a Cortex-M4", options(),
      [](const Options& given) { return std::make_unique<CExporter>(memory_of(given.string("memory"))); });
}

}  // namespace compress
