# What every CMakeLists of the project uses: the compiler settings, the dependencies, and the two functions
# compress_room() and compress_test().

include(CTest)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(COMPRESS_GENERATED "${CMAKE_BINARY_DIR}/generated")  # headers that CMake writes
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -O2: what is hot (the int8 reference) asks for -O3 itself; -O3 everywhere costs a fifth more build time.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

find_program(COMPRESS_CCACHE ccache)
if(COMPRESS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers: ccache then takes the text of the headers for what they define.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${COMPRESS_CCACHE}")
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  set(CMAKE_C_COMPILER_LAUNCHER "${COMPRESS_CCACHE}")
endif()

option(COMPRESS_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
if(COMPRESS_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)  # Boost.Graph is headers only for what we use
find_package(fmt 9 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)
pkg_check_modules(SOXR REQUIRED IMPORTED_TARGET soxr)
pkg_check_modules(KISSFFT REQUIRED IMPORTED_TARGET kissfft-float)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_package(ZLIB REQUIRED)
find_path(FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h REQUIRED)

# LibTorch is the PyPI wheel in .venv unless CMAKE_PREFIX_PATH names another.
if(NOT Torch_DIR)
  execute_process(
    COMMAND "${CMAKE_SOURCE_DIR}/.venv/bin/python" -c
            "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE COMPRESS_TORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(COMPRESS_TORCH_ROOT)
    list(APPEND CMAKE_PREFIX_PATH "${COMPRESS_TORCH_ROOT}/share/cmake")
  endif()
endif()
find_package(Torch 2.11 REQUIRED)

if(BUILD_TESTING)
  find_package(GTest 1.12 REQUIRED)
  include(GoogleTest)
endif()

set(COMPRESS_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC 12 warns of "text" + std::string, wrongly

# Headers that most files read, parsed once for all targets of the same kind: the first to ask makes them. A file
# still includes what it uses: clang-tidy reads it without them.
set(COMPRESS_COMMON_HEADERS <algorithm> <filesystem> <fmt/format.h> <functional> <map> <memory> <nlohmann/json.hpp>
    <optional> <span> <string> <variant> <vector>)
function(compress_precompile target kind)
  get_property(first GLOBAL PROPERTY COMPRESS_PRECOMPILED_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY COMPRESS_PRECOMPILED_${kind} ${target})
  endif()
endfunction()

# compress_room(NAME SOURCES ... [ROOMS ...] [LIBS ...] [TORCH])
#
# One static library compress_NAME. ROOMS are the rooms it may include, LIBS other targets (PRIVATE). Those that exist
# when the folder plugins is done make up the shared library (cmake/Library.cmake).
# TORCH rooms see LibTorch's headers and use fmt as headers only: the wheel carries a newer fmt that shadows Debian's.
function(compress_room name)
  cmake_parse_arguments(ROOM "TORCH" "" "SOURCES;ROOMS;LIBS" ${ARGN})
  add_library(compress_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(compress_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_compile_options(compress_${name} PRIVATE ${COMPRESS_WARNINGS})
  list(TRANSFORM ROOM_ROOMS PREPEND compress_)
  target_link_libraries(compress_${name} PUBLIC ${ROOM_ROOMS} PRIVATE ${ROOM_LIBS} Threads::Threads)
  set_property(GLOBAL APPEND PROPERTY COMPRESS_ROOMS compress_${name})
  set_property(GLOBAL APPEND PROPERTY COMPRESS_ROOM_LIBS ${ROOM_LIBS})
  if(ROOM_TORCH)
    target_include_directories(compress_${name} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
    target_compile_definitions(compress_${name} PRIVATE FMT_HEADER_ONLY=1)
    target_link_libraries(compress_${name} PUBLIC compress_torch)
  else()
    target_link_libraries(compress_${name} PRIVATE fmt::fmt)
    compress_precompile(compress_${name} rooms ${COMPRESS_COMMON_HEADERS})
  endif()
endfunction()

# Links LibTorch without spreading its include folders.
add_library(compress_torch INTERFACE)
target_link_libraries(compress_torch INTERFACE $<LINK_ONLY:torch>)

# compress_test(NAME SOURCES ... ROOMS ... [LIBS ...] [TORCH] [LABELS ...])
#
# One GoogleTest program test_NAME; LABELS `slow` keeps it out of `make test-quick`.
function(compress_test name)
  cmake_parse_arguments(TEST "TORCH" "" "SOURCES;ROOMS;LIBS;LABELS" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  target_compile_options(test_${name} PRIVATE ${COMPRESS_WARNINGS})
  target_include_directories(test_${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_definitions(test_${name} PRIVATE COMPRESS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  list(TRANSFORM TEST_ROOMS PREPEND compress_)
  target_link_libraries(test_${name} PRIVATE ${TEST_ROOMS} ${TEST_LIBS} GTest::gmock GTest::gtest_main Threads::Threads)
  if(TEST_TORCH)
    target_include_directories(test_${name} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
    target_compile_definitions(test_${name} PRIVATE FMT_HEADER_ONLY=1)
    target_link_libraries(test_${name} PRIVATE compress_torch)
  else()
    target_link_libraries(test_${name} PRIVATE fmt::fmt)
    compress_precompile(test_${name} tests ${COMPRESS_COMMON_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # the rooms do the work
  gtest_discover_tests(test_${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT 600)
endfunction()
