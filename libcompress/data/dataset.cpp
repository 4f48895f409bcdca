#include "libcompress/data/dataset.h"

namespace compress {

const char* name_of(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    case Part::test:
      return "test";
  }
  return "?";
}

}  // namespace compress
