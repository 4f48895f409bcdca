#include "libcompress/runtime/kernels.h"

#include "libcompress/runtime/kernel_families.h"

namespace compress {

Kernel find_kernel(std::string_view op) {
  static const Kernels kernels = [] {
    Kernels all;
    for (const auto& family :
         {window_kernels(), elementwise_kernels(), whole_axis_kernels(), movement_kernels()})
      all.insert(family.begin(), family.end());
    return all;
  }();
  const auto found = kernels.find(op);
  return found == kernels.end() ? nullptr : found->second;
}

}  // namespace compress
