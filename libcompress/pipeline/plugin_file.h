// Plugins in files of their own: shared objects that a user built against the installed library.
#pragma once

#include <filesystem>
#include <string>

#include "libcompress/pipeline/plugins.h"

namespace compress {

/// The tag (pipeline/plugin_tag.h) of the shared object at `path`, read as bytes: nothing of it is loaded or
/// run. Error of kind io if it cannot be read, of kind plugin if it is no 64-bit ELF file or has no tag.
std::string read_plugin_tag(const std::filesystem::path& path);

/// Adds what the shared object at `path` offers to `plugins`, under guard (pipeline/guard.h), and keeps it
/// loaded for the life of the process. A file that is loaded already adds nothing. Error of kind plugin, with
/// the reason, if its tag is not this library's (then none of its code has run), if it cannot be loaded, if
/// it throws, or if it adds a name that is taken.
void load_plugin_file(const std::filesystem::path& path, Plugins& plugins);

}  // namespace compress
