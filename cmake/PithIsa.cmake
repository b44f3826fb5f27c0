# Flags of kernel files by the suffix of their name: <family>_avx2.cc is built with -mavx2 and only for x86.
# Such a file is reached only through a list row that demands the matching processor bit (kernels/base/cpu.h).
include(CheckCXXCompilerFlag)

set(PITH_ISA_SUFFIXES avx2 avxvnni avx512vnni neon neondot i8mm)
set(isa_x86 OFF)
set(isa_arm64 OFF)
set(isa_arm32 OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|i[3-6]86)$")
  set(isa_x86 ON)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)")
  set(isa_arm64 ON)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  set(isa_arm32 ON)
endif()

# pith_isa_flags(<suffix> <flags> <condition>): flags become PITH_FLAGS_<suffix> if the processor and the compiler fit.
function(pith_isa_flags suffix flags fits)
  set(PITH_FLAGS_${suffix} "" PARENT_SCOPE)
  if(NOT fits)
    return()
  endif()
  if(flags)
    string(REPLACE ";" " " text "${flags}")
    check_cxx_compiler_flag("${text}" PITH_COMPILER_HAS_${suffix})
    if(NOT PITH_COMPILER_HAS_${suffix})
      message(STATUS "Pith: the compiler lacks ${text}; kernels *_${suffix}.cc are left out")
      return()
    endif()
  endif()
  set(PITH_FLAGS_${suffix} "on;${flags}" PARENT_SCOPE)
endfunction()

set(avx2_flags -mavx2 -mfma -mf16c)
pith_isa_flags(avx2 "${avx2_flags}" ${isa_x86})
pith_isa_flags(avxvnni "${avx2_flags};-mavxvnni" ${isa_x86})  # GCC 11, clang 12
# -Wno-maybe-uninitialized, -Wno-uninitialized: GCC 12 warns about the undefined vectors inside its own intrinsics.
pith_isa_flags(avx512vnni
  "${avx2_flags};-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512vnni;-Wno-maybe-uninitialized;-Wno-uninitialized" ${isa_x86})
if(isa_arm32)
  pith_isa_flags(neon "-mfpu=neon" ON)
else()
  pith_isa_flags(neon "" ${isa_arm64})
endif()
pith_isa_flags(neondot "-march=armv8.2-a+dotprod" ${isa_arm64})
pith_isa_flags(i8mm "-march=armv8.2-a+dotprod+i8mm" ${isa_arm64})

# pith_isa_sources(<target> <source>...): gives every ISA file its flags, or leaves it out; defines PITH_HAVE_<SUFFIX> for all
# who see the lists. No contraction, so that results are equal everywhere; no auto-vectorizer: GCC 12 crashes in it on
# +dotprod targets, and what matters here is written by hand.
function(pith_isa_sources target)
  foreach(suffix IN LISTS PITH_ISA_SUFFIXES)
    set(files ${ARGN})
    list(FILTER files INCLUDE REGEX "_${suffix}\\.cc$")
    string(TOUPPER ${suffix} upper)
    if(PITH_FLAGS_${suffix})
      list(SUBLIST PITH_FLAGS_${suffix} 1 -1 flags)
      set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${flags};-ffp-contract=off;-fno-tree-vectorize")
      target_compile_definitions(${target} PUBLIC PITH_HAVE_${upper}=1)
    else()
      set_source_files_properties(${files} PROPERTIES HEADER_FILE_ONLY ON)
    endif()
  endforeach()
endfunction()
