# cmake -DOUT=file.c -DFILES="a.json;b.json" -DHEADER=sim/x.h -DTYPE=x
#   -DTABLE=xs -P embed.cmake
# Files as a table of { name, text, size }, ended by a row of zeroes.
set(text "/* Made by cmake/embed.cmake. */\n#include \"${HEADER}\"\n\n")
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
  "\nconst struct ${TYPE} ${TABLE}[] = {\n${table}\t{ 0, 0, 0 },\n};\n")
file(WRITE ${OUT} "${text}")
