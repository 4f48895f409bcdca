# The shared library libcompress: every room and every plugin of the tree in one file.
#
# The command and the Python package link to it, and so does a plugin in a file of its own: there is one copy of
# everything in the process. Tests link to the rooms they need, which build sooner. docs/adr/0011-plugin-files.md.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(rooms GLOBAL PROPERTY COMPRESS_ROOMS)
get_property(libs GLOBAL PROPERTY COMPRESS_ROOM_LIBS)
list(REMOVE_DUPLICATES libs)
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)

add_library(compress_library SHARED ${objects})
set_target_properties(compress_library PROPERTIES
  OUTPUT_NAME compress EXPORT_NAME libcompress LINKER_LANGUAGE CXX
  VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION}"  # nothing is promised between versions yet
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib"
  INSTALL_RPATH "$<TARGET_FILE_DIR:torch>")
target_compile_features(compress_library INTERFACE cxx_std_20)
target_include_directories(compress_library INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>" "$<BUILD_INTERFACE:${COMPRESS_GENERATED}>" "$<INSTALL_INTERFACE:include>")
target_link_libraries(compress_library PRIVATE ${libs} fmt::fmt compress_torch Threads::Threads)

install(TARGETS compress_library EXPORT libcompress LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/libcompress" "${COMPRESS_GENERATED}/libcompress"
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT libcompress NAMESPACE libcompress:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/libcompress
  FILE libcompressConfig.cmake)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/libcompressConfigVersion.cmake" COMPATIBILITY ExactVersion)
install(FILES "${CMAKE_BINARY_DIR}/libcompressConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/libcompress)
