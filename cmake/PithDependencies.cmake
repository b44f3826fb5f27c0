# Everything Pith links, as imported targets: pith::flatbuffers, pith::pthreadpool, pith::cpuinfo, pith::xnnpack,
# pith::doctest, and for the host tool pith::onnx. Third-party sources are pinned: cmake/thirdparty.
include(PithPrebuild)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_program(PITH_FLATC flatc REQUIRED DOC "FlatBuffers compiler of the build host (Debian: flatbuffers-compiler)")

# pith_header_library(<name> <folder> <probe>): target pith::<name> for headers in one folder of the include path. The folder
# is linked into the build tree and only that is put on the path, so a cross compiler never sees the host's /usr/include.
function(pith_header_library name folder probe)
  find_path(PITH_${name}_HEADERS ${folder}/${probe} NO_CMAKE_FIND_ROOT_PATH DOC "Where ${folder}/${probe} is")
  if(NOT PITH_${name}_HEADERS)
    message(FATAL_ERROR "Pith: <${folder}/${probe}> not found; install it (Debian: ${ARGN}) or set PITH_${name}_HEADERS")
  endif()
  set(link ${CMAKE_BINARY_DIR}/headers/${name})
  file(MAKE_DIRECTORY ${link})
  file(CREATE_LINK ${PITH_${name}_HEADERS}/${folder} ${link}/${folder} SYMBOLIC)
  add_library(pith::${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(pith::${name} SYSTEM INTERFACE ${link})
endfunction()

function(pith_static_library name file include)
  add_library(pith::${name} STATIC IMPORTED GLOBAL)
  set_target_properties(pith::${name} PROPERTIES IMPORTED_LOCATION ${file})
  target_include_directories(pith::${name} SYSTEM INTERFACE ${include})
  target_link_libraries(pith::${name} INTERFACE ${ARGN})
endfunction()

pith_header_library(flatbuffers flatbuffers flatbuffers.h libflatbuffers-dev)
if(PITH_TESTS)
  pith_header_library(doctest doctest doctest.h doctest-dev)
endif()

# ThreadSanitizer must see pthreadpool's atomics, or every hand-over between threads looks like a race.
set(base_flags)
if("thread" IN_LIST PITH_SANITIZE)
  set(base_flags -fsanitize=thread)
endif()
if(PITH_XNNPACK)
  pith_prebuild(xnnpack PITH_XNNPACK_PREFIX SOURCES fxdiv pthreadpool cpuinfo xnnpack)
endif()
pith_prebuild(base PITH_BASE_PREFIX SOURCES fxdiv pthreadpool cpuinfo FLAGS "${base_flags}")
pith_static_library(pthreadpool ${PITH_BASE_PREFIX}/lib/libpthreadpool.a ${PITH_BASE_PREFIX}/include Threads::Threads)
pith_static_library(cpuinfo ${PITH_BASE_PREFIX}/lib/libcpuinfo.a ${PITH_BASE_PREFIX}/include Threads::Threads)

if(PITH_XNNPACK)
  pith_static_library(xnnpack_microkernels ${PITH_XNNPACK_PREFIX}/lib/libmicrokernels-prod.a ${PITH_XNNPACK_PREFIX}/include)
  pith_static_library(xnnpack ${PITH_XNNPACK_PREFIX}/lib/libXNNPACK.a ${PITH_XNNPACK_PREFIX}/include
    pith::xnnpack_microkernels pith::pthreadpool pith::cpuinfo m)
endif()

if(PITH_CONVERTER)
  find_package(Protobuf REQUIRED)
  find_library(PITH_ONNX_PROTO onnx_proto REQUIRED DOC "libonnx_proto (Debian: libonnx-dev)")
  add_library(pith::onnx INTERFACE IMPORTED GLOBAL)
  target_link_libraries(pith::onnx INTERFACE ${PITH_ONNX_PROTO} protobuf::libprotobuf)
  target_compile_definitions(pith::onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
endif()
