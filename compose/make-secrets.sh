#!/bin/sh
# Makes the credentials compose.yaml mounts, unless they are there: 256 random bits each. Compose mounts
# the files as they are, so the services' user has to be allowed to read them; the directory keeps
# other accounts of this machine out.
set -eu
dir=$(dirname "$0")/secrets
mkdir -p "$dir"
chmod 700 "$dir"
for name in service.token admin.token; do
    [ -e "$dir/$name" ] && continue
    od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' > "$dir/$name.new"
    chmod 444 "$dir/$name.new"
    mv "$dir/$name.new" "$dir/$name"
done
