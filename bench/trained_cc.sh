#!/bin/sh
# The C compiler of bench/trained.sh, for SQLite and the allocator. Without TRAINED_COUNTS what it compiles counts
# how often each branch is taken; with it, it knows these counts: a file in that directory for each source file.
for source; do :; done # the last argument
if [ -z "${TRAINED_COUNTS:-}" ]; then
    exec gcc "$@" -fprofile-generate -fprofile-update=prefer-atomic
fi
exec gcc "$@" -fprofile-use="$TRAINED_COUNTS/$(basename "$source" .c).gcda" -Wno-missing-profile
