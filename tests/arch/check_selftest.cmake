# Proves that the checks can fail: builds a small tree with one fault of each kind and expects each to be named.
# Run: cmake -DWORK=<scratch folder> -P check_selftest.cmake
cmake_policy(VERSION 3.22)
file(REMOVE_RECURSE ${WORK})
string(REPEAT "  int x = 0;\n" 90 body)
string(REPEAT "// filler\n" 700 filler)
file(WRITE ${WORK}/kernels/base/wrong_way.cc "#include \"runtime/base/target.h\"\n")
file(WRITE ${WORK}/runtime/base/target.h "// empty\n")
file(WRITE ${WORK}/runtime/exec/backend_leak.cc "// one\n#include <xnnpack.h>\n")
file(WRITE ${WORK}/runtime/exec/dangling.cc "#include \"runtime/exec/missing.h\"\n")
file(WRITE ${WORK}/runtime/exec/fine.cc "#include \"runtime/base/target.h\"\nint f() {\n  return 1;\n}\n")
file(WRITE ${WORK}/converter/ir/long_function.cc "int f() {\n${body}}\n")
file(WRITE ${WORK}/converter/ir/excused_function.cc "int f() {\n// size: exempt, because the table is one\n${body}}\n")
file(WRITE ${WORK}/converter/ir/long_file.cc "${filler}")
file(WRITE ${WORK}/converter/passes/twice.cc "// empty\n")
file(WRITE ${WORK}/converter/emit/twice.cc "// empty\n")

function(expect script)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env GIT_DIR=/nonexistent ${CMAKE_COMMAND} -DPITH_ROOT=${WORK}
                          -P ${CMAKE_CURRENT_LIST_DIR}/${script}
                  RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(code EQUAL 0)
    message(FATAL_ERROR "${script} accepted a tree full of faults:\n${text}")
  endif()
  foreach(line IN LISTS ARGN)
    if(NOT text MATCHES "${line}")
      message(FATAL_ERROR "${script} did not say '${line}':\n${text}")
    endif()
  endforeach()
  if(text MATCHES "fine\\.cc")
    message(FATAL_ERROR "${script} complains about a correct file:\n${text}")
  endif()
endfunction()

expect(check_layers.cmake "kernels/base/wrong_way.cc:1: includes \"runtime/base/target.h\""
       "runtime/exec/backend_leak.cc:2: includes <xnnpack.h>" "runtime/exec/dangling.cc:1: .*does not exist")
expect(check_sizes.cmake "converter/ir/long_function.cc:1: function of 92 lines" "converter/ir/long_file.cc: 70[0-9] lines"
       "excused_function.cc:1: function of 93 lines, because the table is one" "twice.cc: same file name as")
message(STATUS "the layer and size checks find every planted fault")
