# Compiler settings shared by every target: C++20, warnings, ccache, and the flags that keep float results equal everywhere.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
if(UNIX AND CMAKE_SIZEOF_VOID_P EQUAL 4)
  add_compile_definitions(_FILE_OFFSET_BITS=64)  # a file too large to map is still opened, to be refused by its size
endif()
find_program(PITH_CCACHE ccache)
if(PITH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the source tree, so that worktrees share what they compile.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${PITH_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()


# Sanitizers and hardening apply to every object of the build, third-party archives excepted.
set(PITH_SANITIZE "" CACHE STRING "List of sanitizers, for example address;undefined or thread")
if(PITH_SANITIZE)
  string(REPLACE ";" "," sanitizers "${PITH_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  # GCC's manual warns that these see ghosts in instrumented code; the release build still makes errors of them.
  add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow)
  if("undefined" IN_LIST PITH_SANITIZE)
    add_compile_options(-fno-sanitize=vptr)  # needs RTTI, which runtime and kernels do without
  endif()
endif()

# -Wno-restrict: GCC 12 warns falsely about std::string concatenation (GCC bug 105651).
add_library(pith_flags INTERFACE)  # linked PRIVATE by our own targets only
target_compile_options(pith_flags INTERFACE -Wall -Wextra -Wno-restrict -Wshadow -Wnon-virtual-dtor -Wcast-align -Wimplicit-fallthrough
  -ffp-contract=off $<$<BOOL:${PITH_WERROR}>:-Werror>)

add_library(pith_device_flags INTERFACE)  # runtime and kernels: no exceptions, no RTTI
target_compile_options(pith_device_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>
  -ffunction-sections -fdata-sections)
target_link_libraries(pith_device_flags INTERFACE pith_flags)
target_link_options(pith_device_flags INTERFACE $<IF:$<BOOL:${APPLE}>,-Wl$<COMMA>-dead_strip,-Wl$<COMMA>--gc-sections>)

# Most of a small file's compile time is reading the generated schema; a precompiled header more than halves it, but hides a
# missing #include and is not shared between worktrees. So it is for the presets that this project tests, where clang-tidy
# reads every file without; what the release build gives to devices is compiled as users' own configurations are.
set(PITH_PCH OFF CACHE STRING "Precompile the headers that most files read: OFF, HOST (not in the runtime) or ON")
function(pith_precompile target)
  if(PITH_PCH STREQUAL "ON" OR (PITH_PCH STREQUAL "HOST" AND NOT target STREQUAL "pith_runtime"))
    target_precompile_headers(${target} ${ARGN})
    # GCC warns falsely about std::string inlined out of a precompiled header (GCC bug 105651 and its relatives).
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds>)
  endif()
endfunction()
