# Android on 64-bit ARM, API level 26. Needs an NDK (r25 or newer) named by ANDROID_NDK or the environment.
# Not covered by scripts/test: no NDK on the test machine.
if(NOT ANDROID_NDK)
  set(ANDROID_NDK $ENV{ANDROID_NDK_ROOT})
endif()
if(NOT EXISTS ${ANDROID_NDK}/build/cmake/android.toolchain.cmake)
  message(FATAL_ERROR "Pith: set ANDROID_NDK (or ANDROID_NDK_ROOT in the environment) to an Android NDK folder")
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANDROID_NDK)
set(ANDROID_ABI arm64-v8a)
set(ANDROID_PLATFORM android-26)
set(ANDROID_STL c++_static)
set(ANDROID_SUPPORT_FLEXIBLE_PAGE_SIZES ON)  # 16 KiB pages, demanded by Android 15
include(${ANDROID_NDK}/build/cmake/android.toolchain.cmake)
