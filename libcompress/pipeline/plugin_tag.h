// What a shared object was built for: a text that lies in a section of its own, so that it is read from the
// file before anything of it is loaded. One line a property; all must be equal to the library's own.
#pragma once

#include <cstddef>  // brings the macros of the standard library

#include "libcompress/pipeline/library_version.h"

#define LIBCOMPRESS_TAG_SECTION "libcompress_plugin"

/// Of this text and of what a plugin's entry is called and takes.
#define LIBCOMPRESS_TAG_FORMAT 1

#define LIBCOMPRESS_SPELL_AS_IT_IS(value) #value
#define LIBCOMPRESS_SPELL(value) LIBCOMPRESS_SPELL_AS_IT_IS(value)

// A compiler that lays out classes in another way, or a standard library with other classes, would not be
// told by anyone else: the program would read wrong bytes.
#if defined(_GLIBCXX_DEBUG)
#define LIBCOMPRESS_STANDARD_LIBRARY "libstdc++ with _GLIBCXX_DEBUG"
#elif defined(_GLIBCXX_USE_CXX11_ABI)
#define LIBCOMPRESS_STANDARD_LIBRARY "libstdc++ cxx11=" LIBCOMPRESS_SPELL(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_ABI_VERSION)
#define LIBCOMPRESS_STANDARD_LIBRARY "libc++ " LIBCOMPRESS_SPELL(_LIBCPP_ABI_VERSION)
#else
#define LIBCOMPRESS_STANDARD_LIBRARY "unknown standard library"
#endif

#if defined(__x86_64__)
#define LIBCOMPRESS_MACHINE "x86-64"
#elif defined(__aarch64__)
#define LIBCOMPRESS_MACHINE "aarch64"
#else
#define LIBCOMPRESS_MACHINE "unknown machine"
#endif

#define LIBCOMPRESS_PLUGIN_TAG \
  "plugin format: " LIBCOMPRESS_SPELL(LIBCOMPRESS_TAG_FORMAT) "\n"                  \
  "libcompress: " LIBCOMPRESS_VERSION ", headers " LIBCOMPRESS_HEADERS "\n"         \
  "LibTorch: " LIBCOMPRESS_LIBTORCH_VERSION "\n"                                    \
  "compiler ABI: " LIBCOMPRESS_MACHINE ", " LIBCOMPRESS_SPELL(__GXX_ABI_VERSION)    \
  ", " LIBCOMPRESS_STANDARD_LIBRARY "\n"
