// What the instructions of a processor offer to kernels.
#pragma once

#include <string_view>

namespace compress {

/// Every one contains those before it.
enum class InstructionSet {
  c,    ///< portable C99
  dsp,  ///< Armv7E-M and Armv8-M DSP: two 16-bit multiply-accumulates an instruction
  mve,  ///< Armv8.1-M vectors of 128 bits
};

/// "c", "dsp", "mve".
std::string_view name_of(InstructionSet set);

}  // namespace compress
