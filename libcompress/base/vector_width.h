// For the few loops that run over every weight of a network.
#pragma once

/// Before a function: it is compiled once for each vector width, and the machine's own is chosen when the
/// program starts. The width may decide the order of additions, so that the last digits of a sum can differ
/// between kinds of machines; on one machine they do not. Templates that it calls must be
/// [[gnu::always_inline]].
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define COMPRESS_BY_VECTOR_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define COMPRESS_BY_VECTOR_WIDTH
#endif
