# cmake -D PATCH=… -D FROM=… -D BY=… -D TO=… -P plant.cmake: TO is FROM with the patch BY; a plain copy if it doesn't fit.
execute_process(COMMAND ${PATCH} --quiet --force --reject-file=- -o ${TO} ${FROM} ${BY} RESULT_VARIABLE failed
  OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(failed)
  message(WARNING "${BY} doesn't fit ${FROM} any more: ${said}")
  configure_file(${FROM} ${TO} COPYONLY)
endif()
