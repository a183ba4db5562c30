# What the presets switch, and the flags every target of ours is compiled with.
option(AISLE_TESTS "Build the tests" ON)
option(AISLE_BENCH "Build the benchmarks" OFF)
option(AISLE_JOIN_TESTS "Compile test files several at once: quicker where everything is built, slower for one change" OFF)
option(AISLE_WORKER "Build what needs LibTorch: aisle-worker and its tests" ON)
option(AISLE_WERROR "Treat warnings as errors" OFF)
string(COMPARE EQUAL "${CMAKE_BUILD_TYPE}" Debug aisle_is_debug)
option(AISLE_DIE_AT_MARKS "Let AISLE_DIE_AT kill programs at a coverage mark, for tests: debug builds only" ${aisle_is_debug})
option(AISLE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(AISLE_SANITIZE "" CACHE STRING "Sanitizers for all of our code: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Dev builds are for reading stack traces and building quickly; speed is measured in release builds.
set(AISLE_DEBUG_FLAGS "-O1 -g1" CACHE STRING "Compile flags of debug builds")
set(CMAKE_CXX_FLAGS_DEBUG "${AISLE_DEBUG_FLAGS}")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

add_library(aisle_flags INTERFACE)
target_compile_options(aisle_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-missing-field-initializers)  # Designated initialisers name what matters and leave the rest at its default.
if(AISLE_WERROR)
  target_compile_options(aisle_flags INTERFACE -Werror)
endif()
target_include_directories(aisle_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(AISLE_SANITIZE)
  # What UBSan reports ends the program: by itself it would go on, and a test that passes shows nobody what it said.
  add_compile_options(-fsanitize=${AISLE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${AISLE_SANITIZE})
  foreach(kind address thread)  # Code asks for GCC's macros, which clang doesn't set.
    if(CMAKE_CXX_COMPILER_ID STREQUAL Clang AND AISLE_SANITIZE MATCHES ${kind})
      string(TOUPPER __SANITIZE_${kind}__ macro)
      add_compile_definitions(${macro})
    endif()
  endforeach()
endif()

if(AISLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # Coverage of our libraries, for the fuzzer's guidance.
endif()

find_program(AISLE_CCACHE ccache)
if(AISLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AISLE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${AISLE_CCACHE})
endif()
find_program(AISLE_MOLD mold)
if(AISLE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
