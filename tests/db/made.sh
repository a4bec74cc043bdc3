#!/bin/sh
# usage: made.sh MAKE_DB WORKDIR docs/database.md: docs.sh on a made-up run.
set -eu
"$1" "$2/made.db"
"$(dirname "$0")/docs.sh" "$2/made.db" "$3"
