# The target `lint`: every check of `./dev lint` on every file, with this build's compile commands.
get_filename_component(aisle_preset ${CMAKE_BINARY_DIR} NAME)
add_custom_target(lint
  COMMAND ${CMAKE_SOURCE_DIR}/cmake/lint.sh --all --preset ${aisle_preset}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)
