# The parameter files of the built-in disks become one C file, so that the
# program finds them without any installed path.
file(GLOB disk_model_files CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/disk_model/params/*.json)
list(SORT disk_model_files)
set(disk_models_c ${CMAKE_BINARY_DIR}/generated/disk_models.c)
add_custom_command(OUTPUT ${disk_models_c}
  COMMAND ${CMAKE_COMMAND} -DOUT=${disk_models_c}
    "-DFILES=${disk_model_files}" -DHEADER=sim/disk_builtin.h
    -DTYPE=disk_builtin -DTABLE=disk_builtins -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${disk_model_files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "Embedding the parameter files of the disks" VERBATIM)
add_library(vmsim_disk_models STATIC ${disk_models_c})
target_include_directories(vmsim_disk_models PRIVATE ${CMAKE_SOURCE_DIR})
