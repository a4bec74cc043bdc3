# cmake -DOUT=file.c -DFILES="a.json;b.json" -P embed.cmake
set(text "/* Made by cmake/embed.cmake from disk_model/params. */\n")
string(APPEND text "#include \"sim/disk_builtin.h\"\n\n")
set(table "")
set(count 0)
foreach(f ${FILES})
  file(READ ${f} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  get_filename_component(name ${f} NAME_WE)
  string(APPEND text
    "static const char text_${count}[] = { ${bytes}0 };\n")
  string(APPEND table
    "\t{ \"${name}\", text_${count}, sizeof(text_${count}) - 1 },\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND text
  "\nconst struct disk_builtin disk_builtins[] = {\n${table}\t{ 0, 0, 0 },\n};\n")
file(WRITE ${OUT} "${text}")
