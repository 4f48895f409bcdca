// The exported C proven by running it: compiled for this computer, or for a Cortex-M4 in QEMU. Where a tool
// is missing the result says so; a compiler's complaint about our code is an Error of kind plugin with its
// text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/export/exporter.h"

namespace compress {

/// The exported network as a process that answers inputs. One thread at a time.
class CompiledNetwork final : public ExportedNetwork {
 public:
  struct Impl;
  explicit CompiledNetwork(std::unique_ptr<Impl> impl);
  ~CompiledNetwork() override;

  /// `input`: NAME_INPUT_SIZE bytes (Error of kind usage otherwise). Returns all outputs, one after the
  /// other. Error of kind io if the process dies or takes longer than a minute.
  std::vector<std::int8_t> run(std::span<const std::int8_t> input) override;

 private:
  std::unique_ptr<Impl> impl_;
};

struct HostOptions {
  std::string compiler{};  ///< a program in PATH; empty: cc, gcc or clang, whichever is there
  std::vector<std::string> flags = {"-O3"};  ///< beside strict_c_flags()
};

struct HostBuild {
  std::unique_ptr<CompiledNetwork> network;  ///< nullptr where skipped
  std::string skipped;                       ///< why, or empty
  std::string compiler;                      ///< its path
};

/// `name` is that of the ExportRequest.
HostBuild compile_for_host(const ExportResult& result, std::string_view name,
                           const HostOptions& options = {});

/// What became of the exported test program.
struct VectorRun {
  enum class Status { passed, failed, skipped };
  Status status = Status::skipped;
  std::string detail;  ///< why it was skipped, or what the program printed
  int passed = 0;      ///< vectors
  int failed = 0;
};

/// Builds the exported test program and runs it on this computer.
VectorRun run_vectors_on_host(const ExportResult& result, std::string_view name,
                              const HostOptions& options = {});

/// Bytes of the compiled network alone, without test program and vectors.
struct FirmwareSize {
  std::int64_t code_bytes = 0;
  std::int64_t constant_bytes = 0;
};

/// What arm-none-eabi-size (`tool`) says of object files or a program: sections that end up in flash.
FirmwareSize size_of_sections(const std::string& tool, const std::vector<std::string>& files,
                              const std::filesystem::path& folder);

struct CortexRun {
  VectorRun run;
  FirmwareSize size;  ///< zeros where there is no cross compiler
};

/// Builds the exported test program with arm-none-eabi-gcc for a Cortex-M4 and runs it in QEMU's mps2-an386
/// for at most `limit_seconds`; no end by then counts as skipped, with the reason.
CortexRun run_on_cortex_m4(const ExportResult& result, std::string_view name, int limit_seconds = 120);

/// C99 with warnings as errors: what every build of the exported C must survive.
std::vector<std::string> strict_c_flags();

}  // namespace compress
