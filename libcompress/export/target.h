// The machine that exported code is for, as a value: a core of the table, or a YAML file that names one and
// says how much memory there is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/export/board.h"
#include "libcompress/export/instruction_set.h"

namespace compress {

struct Target {
  std::string name;
  std::string core;                                 ///< "cortex-m4", or "host": this computer
  InstructionSet instructions = InstructionSet::c;  ///< the most that exported code may use
  std::optional<std::int64_t> flash_bytes{};        ///< of the chip; a bare core has none
  std::optional<std::int64_t> ram_bytes{};
  std::optional<double> clock_mhz{};
  std::vector<std::string> flags{};  ///< of the compiler, beside warnings and the language
  std::string board{};               ///< name of the Board that QEMU runs it on; empty: none

  bool is_host() const { return core == "host"; }

  bool operator==(const Target&) const = default;
};

/// The cores that this program knows, the host last.
std::span<const Target> known_targets();

/// A known target by its name, or the YAML file at this path (.yaml or .yml). Error of kind usage listing the
/// names, of kind io if the file cannot be read, or as parse_target().
Target load_target(const std::string& name_or_path);

/// The text of a target file, all keys but `core` optional:
///
///   name: nucleo-l476rg
///   core: cortex-m4            # gives what the other keys do not say
///   flash: 1MiB                # bytes, or a number with B, KB, MB, KiB, MiB
///   ram: 96KiB
///   clock: 80                  # MHz
///   instructions: dsp          # c, dsp or mve, at most what the core has
///   flags: ["-Os"]             # added to the core's
///   board: mps2-an386          # of QEMU
///
/// Error of kind recipe with "file:line:column: found; allowed: ...; remedy".
Target parse_target(std::string_view text, const std::string& file);

}  // namespace compress
