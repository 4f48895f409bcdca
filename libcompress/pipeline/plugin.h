// How a shared object becomes a plugin: it includes this and says, once, what it adds.
//
//   #include <libcompress/pipeline/plugin.h>
//
//   LIBCOMPRESS_PLUGIN(plugins) {
//     plugins.criteria.add("mine", "what it ranks by", {}, [](const auto&) { return std::make_unique<Mine>();
//     });
//   }
//
// Built with find_package(libcompress) and given as `--plugin FILE` or in a recipe's key `plugins`; see
// docs/plugins.md. A macro, because the tag has to be compiled into the plugin.
#pragma once

#include "libcompress/pipeline/plugin_tag.h"
#include "libcompress/pipeline/plugins.h"

// The entry is a C name: found by dlsym() whatever the compiler makes of C++ names. The tag is external, or
// the compiler would leave out what nobody reads.
#define LIBCOMPRESS_PLUGIN(plugins)                                                          \
  extern "C" {                                                                               \
  [[gnu::visibility("default"), gnu::section(LIBCOMPRESS_TAG_SECTION)]]                      \
  extern const char libcompress_plugin_tag[];                                                \
  [[gnu::used]] const char libcompress_plugin_tag[] = LIBCOMPRESS_PLUGIN_TAG;                \
  [[gnu::visibility("default")]] void libcompress_add_plugins(::compress::Plugins& plugins); \
  }                                                                                          \
  void libcompress_add_plugins(::compress::Plugins& plugins)
