# iOS 15 or newer on 64-bit ARM, static libraries. Needs Xcode on macOS; not covered by scripts/test.
# The simulator: -DCMAKE_OSX_SYSROOT=iphonesimulator.
set(CMAKE_SYSTEM_NAME iOS)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(CMAKE_OSX_ARCHITECTURES arm64)
set(CMAKE_OSX_DEPLOYMENT_TARGET 15.0)
if(NOT CMAKE_OSX_SYSROOT)
  set(CMAKE_OSX_SYSROOT iphoneos)
endif()
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a program would have to be signed
set(CMAKE_XCODE_ATTRIBUTE_CODE_SIGNING_ALLOWED NO)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
