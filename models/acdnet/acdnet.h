// ACDNet, the reference model: a convolutional network on raw sound (arXiv:2103.03483). See notes.md.
#pragma once

#include "libcompress/base/catalog.h"
#include "libcompress/import/model_source.h"

namespace compress {

/// Options: channels (12 counts), classes, input_length, sample_rate, dropout. From a checkpoint, channels
/// and classes are those of its tensors and the options of these names are not read.
void register_acdnet(Catalog<ModelSource>& catalog);

}  // namespace compress
