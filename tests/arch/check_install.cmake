# Installs Pith into a scratch folder and uses it as a stranger would: find_package and pkg-config, shared and static;
# checks that the shared library exports pith_* and nothing else. Run: cmake -DBUILD=.. -DWORK=.. -DPITH_ROOT=.. -P this
cmake_policy(VERSION 3.22)

function(must)  # COMMAND...: stops with what it printed; the output is left in `text`
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "exit ${code} from: ${command}\n${text}")
  endif()
  set(text "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/first)
must(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
file(RENAME ${prefix} ${WORK}/moved)  # an installed tree may be moved
set(prefix ${WORK}/moved)

file(GLOB_RECURSE shared ${prefix}/*/libpith.so)
must(nm -D --defined-only ${shared})
string(REGEX MATCHALL "[^\n]+" symbols "${text}")
set(exported 0)
foreach(symbol IN LISTS symbols)
  if(NOT symbol MATCHES " [TBDRV] pith_[a-z_]+$")
    message(FATAL_ERROR "libpith.so exports something besides pith_*: ${symbol}")
  endif()
  math(EXPR exported "${exported} + 1")
endforeach()
file(STRINGS ${PITH_ROOT}/runtime/include/pith/pith.h declared REGEX "PITH_API.*pith_[a-z_]+\\(")
list(LENGTH declared declared)
if(NOT exported EQUAL declared)
  message(FATAL_ERROR "pith.h declares ${declared} functions, libpith.so exports ${exported}:\n${text}")
endif()

set(model ${WORK}/digits.pith)
must(${BUILD}/cli/pith convert ${PITH_ROOT}/examples/digits/digits.onnx -o ${model} --precision fp32 --shape image=1,1,28,28)

must(${CMAKE_COMMAND} -G Ninja -S ${PITH_ROOT}/tests/arch/consumer -B ${WORK}/consumer -DCMAKE_PREFIX_PATH=${prefix})
must(${CMAKE_COMMAND} --build ${WORK}/consumer)
foreach(kind pith pith_static)
  must(${WORK}/consumer/with_${kind} ${model})
  message(STATUS "find_package, ${kind}: ${text}")
endforeach()

file(GLOB_RECURSE description ${prefix}/*/pith.pc)
get_filename_component(folder ${description} DIRECTORY)
get_filename_component(libraries ${shared} DIRECTORY)
must(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folder} pkg-config --cflags --libs pith)
separate_arguments(flags UNIX_COMMAND "${text}")
must(cc ${PITH_ROOT}/tests/arch/consumer/consumer.c -o ${WORK}/with_pkg_config ${flags} -Wl,-rpath,${libraries})
must(${WORK}/with_pkg_config ${model})
message(STATUS "pkg-config: ${text}")
message(STATUS "${exported} functions exported, all declared in pith.h")
