#include "libcompress/export/verify.h"

#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/process.h"

namespace compress {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

const std::string& file_of(const ExportResult& result, const std::string& name) {
  const auto found = result.files.find(name);
  if (found == result.files.end())
    throw Error(ErrorKind::input,
                {"exported C", "no file '" + name + "'", "the files of the C exporter", ""});
  return found->second;
}

/// The number that the header gives to a macro.
std::size_t macro_of(const std::string& header, const std::string& macro) {
  const auto found = header.find("#define " + macro + " ");
  if (found == header.npos) throw Error(ErrorKind::input, {"exported C", "no macro " + macro, "", ""});
  return std::strtoull(header.c_str() + found + 9 + macro.size(), nullptr, 10);
}

/// Reads inputs from standard input and writes outputs to standard output until there are no more.
std::string runner_source(const std::string& name) {
  return filled(R"(#include <stdio.h>
#include "@NAME@.h"

static uint8_t arena[@UPPER@_ARENA_SIZE];
static int8_t input[@UPPER@_INPUT_SIZE], output[@UPPER@_OUTPUT_SIZE];

int main(void) {
  while (fread(input, 1, sizeof input, stdin) == sizeof input) {
    @NAME@_run(arena, input, output);
    if (fwrite(output, 1, sizeof output, stdout) != sizeof output || fflush(stdout) != 0) return 1;
  }
  return 0;
}
)",
                {{"NAME", name}, {"UPPER", upper(name)}});
}

Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Arguments network_sources(const std::string& name) {
  return {name + ".c", name + "_kernels.c", name + "_weights.c"};
}
Arguments test_sources(const std::string& name) { return {name + "_test.c", name + "_vectors.c"}; }

void build(const Arguments& arguments, const fs::path& folder) {
  const auto done = run_program(arguments, folder, std::chrono::seconds(300));
  if (done.exit_code == 0) return;
  throw Error(ErrorKind::plugin,
              {"exported C",
               fmt::format("{} {}:\n{}", arguments[0], done.timed_out ? "took more than 300 s" : "refused it",
                           done.output),
               "", ""});
}

std::string host_compiler(const HostOptions& options) {
  const auto found =
      options.compiler.empty() ? find_program({"cc", "gcc", "clang"}) : find_program(options.compiler);
  return found ? found->string() : "";
}

std::string no_compiler(const HostOptions& options) {
  return "no C compiler: " + (options.compiler.empty() ? "none of cc, gcc, clang" : options.compiler) +
         " in PATH";
}

/// Reads "NAME: 3 passed, 0 failed" off the end of what the test program printed.
VectorRun judged(const Finished& done) {
  VectorRun run;
  run.detail = done.output;
  const auto line = done.output.rfind(": ");
  const bool told =
      line != done.output.npos &&
      std::sscanf(done.output.c_str() + line, ": %d passed, %d failed", &run.passed, &run.failed) == 2;
  if (done.timed_out) run.detail += "(ended: it took too long)";
  const bool passed = told && done.exit_code == 0 && !done.timed_out && run.failed == 0 && run.passed > 0;
  run.status = passed ? VectorRun::Status::passed : VectorRun::Status::failed;
  if (done.timed_out && run.failed == 0)
    run.status = VectorRun::Status::skipped;  // no byte was seen to differ
  return run;
}

VectorRun skipped(std::string why) { return {VectorRun::Status::skipped, std::move(why), 0, 0}; }

}  // namespace

struct CompiledNetwork::Impl {
  TemporaryFolder folder;
  std::size_t input_bytes = 0, output_bytes = 0;
  std::unique_ptr<Conversation> process;
};

CompiledNetwork::CompiledNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledNetwork::~CompiledNetwork() = default;

std::vector<std::int8_t> CompiledNetwork::run(std::span<const std::int8_t> input) {
  if (input.size() != impl_->input_bytes)
    throw Error(ErrorKind::usage, {"compiled network", fmt::format("an input of {} bytes", input.size()),
                                   fmt::format("{}", impl_->input_bytes), ""});
  std::vector<std::int8_t> output(impl_->output_bytes);
  impl_->process->ask(std::as_bytes(input), std::as_writable_bytes(std::span(output)),
                      std::chrono::seconds(60));
  return output;
}

FirmwareSize size_of_sections(const std::string& tool, const std::vector<std::string>& files,
                              const fs::path& folder) {
  const auto done = run_program(Arguments{tool, "-A"} + files, folder);
  FirmwareSize size;
  std::istringstream lines(done.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string section;
    std::int64_t bytes = 0;
    if (!(words >> section >> bytes)) continue;
    if (section.starts_with(".text")) size.code_bytes += bytes;
    if (section.starts_with(".rodata")) size.constant_bytes += bytes;
  }
  return size;
}

std::vector<std::string> strict_c_flags() {
  return {"-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror"};
}

HostBuild compile_for_host(const ExportResult& result, std::string_view given_name,
                           const HostOptions& options) {
  const auto name = c_identifier(given_name);
  HostBuild host;
  host.compiler = host_compiler(options);
  if (host.compiler.empty()) {
    host.skipped = no_compiler(options);
    return host;
  }
  auto impl = std::make_unique<CompiledNetwork::Impl>();
  const auto& folder = impl->folder.path();
  const auto& header = file_of(result, name + ".h");
  impl->input_bytes = macro_of(header, upper(name) + "_INPUT_SIZE");
  impl->output_bytes = macro_of(header, upper(name) + "_OUTPUT_SIZE");
  impl->folder.write(result.files);
  impl->folder.write({{"runner.c", runner_source(name)}});
  build(Arguments{host.compiler} + strict_c_flags() + options.flags + network_sources(name) +
            Arguments{"runner.c", "-o", "runner"},
        folder);
  impl->process = std::make_unique<Conversation>(Arguments{(folder / "runner").string()}, folder);
  host.network = std::make_unique<CompiledNetwork>(std::move(impl));
  return host;
}

VectorRun run_vectors_on_host(const ExportResult& result, std::string_view given_name,
                              const HostOptions& options) {
  const auto name = c_identifier(given_name);
  if (!result.files.contains(name + "_test.c")) return skipped("no recorded vectors");
  const auto compiler = host_compiler(options);
  if (compiler.empty()) return skipped(no_compiler(options));
  const TemporaryFolder folder;
  folder.write(result.files);
  build(Arguments{compiler} + strict_c_flags() + options.flags + network_sources(name) + test_sources(name) +
            Arguments{name + "_test_host.c", "-o", "test_program"},
        folder.path());
  return judged(run_program({(folder.path() / "test_program").string()}, folder.path()));
}

CortexRun run_on_cortex_m4(const ExportResult& result, std::string_view given_name, int limit_seconds) {
  const auto name = c_identifier(given_name);
  if (!result.files.contains(name + "_test.c")) return {skipped("no recorded vectors"), {}};
  const auto compiler = find_program("arm-none-eabi-gcc"), size = find_program("arm-none-eabi-size");
  if (!compiler || !size) return {skipped("no cross compiler: arm-none-eabi-gcc is not in PATH"), {}};
  const TemporaryFolder folder;
  folder.write(result.files);
  const Arguments target = {"-mcpu=cortex-m4", "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections"};
  build(Arguments{compiler->string(), "-c"} + target + strict_c_flags() + network_sources(name),
        folder.path());
  const Arguments objects = {name + ".o", name + "_kernels.o", name + "_weights.o"};
  CortexRun cortex;
  cortex.size = size_of_sections(size->string(), objects, folder.path());
  build(Arguments{compiler->string()} + target + strict_c_flags() + objects + test_sources(name) +
            Arguments{"cortex-m4/startup.c", "-nostartfiles", "-Wl,--gc-sections", "-Tcortex-m4/linker.ld",
                      "-o", "test.elf"},
        folder.path());
  const auto qemu = find_program("qemu-system-arm");
  cortex.run =
      qemu ? judged(run_program({qemu->string(), "-M", "mps2-an386", "-nographic", "-semihosting-config",
                                 "enable=on,target=native", "-kernel", "test.elf"},
                                folder.path(), std::chrono::seconds(limit_seconds)))
           : skipped("no emulator: qemu-system-arm is not in PATH");
  return cortex;
}

}  // namespace compress
