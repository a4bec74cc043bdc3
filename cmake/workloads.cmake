# The machines and scenarios of workloads/ become C files, so that the program
# finds them without any installed path.
set(workload_sources)
foreach(what machine scenario)
  file(GLOB files CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/workloads/${what}s/*.json)
  list(SORT files)
  set(out ${CMAKE_BINARY_DIR}/generated/${what}_builtins.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}"
      -DHEADER=sim/builtin.h -DTYPE=builtin_file -DTABLE=${what}_builtins
      -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    COMMENT "Embedding workloads/${what}s" VERBATIM)
  list(APPEND workload_sources ${out})
endforeach()
add_library(vmsim_workloads STATIC ${workload_sources})
target_include_directories(vmsim_workloads PRIVATE ${CMAKE_SOURCE_DIR})
