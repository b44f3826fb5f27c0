# Merges static libraries by the MRI script SCRIPT with the archiver AR (cmake -P has no "<" of its own).
execute_process(COMMAND ${AR} -M INPUT_FILE ${SCRIPT} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${AR} could not merge the archives of ${SCRIPT}")
endif()
