# What a user of Pith gets: libpith.a with everything inside, libpith.so that exports only the C ABI, headers,
# find_package(pith) and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One archive: ours and the third-party ones, merged, so that a user links one file.
set(archives $<TARGET_FILE:pith_runtime> $<TARGET_FILE:pith_kernels> ${PITH_POOL_ARCHIVE}
    ${PITH_BASE_PREFIX}/lib/libcpuinfo.a)
if(PITH_XNNPACK)
  list(APPEND archives ${PITH_XNNPACK_PREFIX}/lib/libXNNPACK.a ${PITH_XNNPACK_PREFIX}/lib/libmicrokernels-prod.a)
endif()
set(PITH_ARCHIVE ${CMAKE_BINARY_DIR}/libpith.a)
if(APPLE)
  set(merge libtool -static -o ${PITH_ARCHIVE} ${archives})
else()
  list(TRANSFORM archives PREPEND "addlib " OUTPUT_VARIABLE members)
  list(JOIN members "\n" members)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/libpith.mri CONTENT "create ${PITH_ARCHIVE}\n${members}\nsave\nend\n")
  set(merge ${CMAKE_COMMAND} -DAR=${CMAKE_AR} -DSCRIPT=${CMAKE_BINARY_DIR}/libpith.mri -P ${PROJECT_SOURCE_DIR}/cmake/merge_archives.cmake)
endif()
add_custom_command(OUTPUT ${PITH_ARCHIVE} COMMAND ${CMAKE_COMMAND} -E rm -f ${PITH_ARCHIVE} COMMAND ${merge}
                   DEPENDS pith_runtime pith_kernels ${PITH_POOL_ARCHIVE} VERBATIM)
add_custom_target(pith_static ALL DEPENDS ${PITH_ARCHIVE})

# The shared library takes the whole runtime archive; the version script hides all but pith_*.
file(WRITE ${CMAKE_BINARY_DIR}/pith_shared.cc "// libpith.so is made of archives; this file only gives it a language.\n")
add_library(pith_shared SHARED ${CMAKE_BINARY_DIR}/pith_shared.cc)
set_target_properties(pith_shared PROPERTIES OUTPUT_NAME pith VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                      LINK_DEPENDS "${PROJECT_SOURCE_DIR}/runtime/pith.map;${PROJECT_SOURCE_DIR}/runtime/pith.exports")
add_dependencies(pith_shared pith_runtime)
if(APPLE)
  target_link_options(pith_shared PRIVATE -Wl,-force_load,$<TARGET_FILE:pith_runtime> -Wl,-dead_strip
                      -Wl,-exported_symbols_list,${PROJECT_SOURCE_DIR}/runtime/pith.exports)
else()
  target_link_options(pith_shared PRIVATE -Wl,--whole-archive $<TARGET_FILE:pith_runtime> -Wl,--no-whole-archive
                      -Wl,--version-script=${PROJECT_SOURCE_DIR}/runtime/pith.map -Wl,--gc-sections)
  if(NOT PITH_SANITIZE)
    target_link_options(pith_shared PRIVATE -Wl,--no-undefined)
  endif()
endif()
target_link_libraries(pith_shared PRIVATE pith_runtime)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pith)
install(FILES ${PITH_ARCHIVE} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS pith_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN *.h PATTERN *.hpp)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY_NOTICES.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(linked fxdiv pthreadpool cpuinfo)
if(PITH_XNNPACK)
  list(APPEND linked xnnpack)
endif()
pith_sources(folders ${linked})  # their licence texts go wherever the binaries go
foreach(name folder IN ZIP_LISTS linked folders)
  string(REGEX REPLACE "^[^=]*=" "" folder ${folder})
  install(FILES ${folder}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME ${name}-LICENSE.txt)
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/pith-config.cmake.in ${CMAKE_BINARY_DIR}/pith-config.cmake
                              INSTALL_DESTINATION ${config_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pith-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pith-config.cmake ${CMAKE_BINARY_DIR}/pith-config-version.cmake DESTINATION ${config_dir})
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)  # so that the installed tree can be moved
configure_file(${PROJECT_SOURCE_DIR}/cmake/pith.pc.in ${CMAKE_BINARY_DIR}/pith.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pith.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
