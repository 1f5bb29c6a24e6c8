#!/bin/sh
# Provide Asterisk, Redis and espeak-ng under .pronto/, without root.
#
#   scripts/fetch_packages.sh [asterisk] [redis] [espeak] [haproxy] [pip]    (the first three when none is named)
#
# What the machine has already is used when it is new enough (Asterisk 20 with the modules of asterisk_conf/modules.conf,
# Redis 6, espeak-ng 1.51). Otherwise the Debian packages are downloaded with a private apt state and unpacked, and run
# through their own dynamic loader, so that nothing of the machine is changed or needed. Only apt-get and dpkg-deb are used.
#
# Result, the same in both cases:
#   .pronto/asterisk/bin/asterisk   .pronto/asterisk/modules/   .pronto/asterisk/data/
#   .pronto/redis/bin/redis-server  .pronto/espeak/bin/espeak-ng  .pronto/haproxy/bin/haproxy
# and, only for a Python that came without pip:  .pronto/pip/pip.whl
#
# Environment:
#   PRONTO_FETCHED=1   fetch even what is installed (and replace what an earlier run took from the machine)
#   DEBIAN_MIRROR      the Debian mirror for Asterisk, when the machine's own apt sources name none
set -eu

PROJECT=$(cd "$(dirname "$0")/.." && pwd)
TOP=$PROJECT/.pronto
FORCED=${PRONTO_FETCHED:-0}
STEP=$TOP/.fetch.$$

say() { printf '[packages] %s\n' "$*" >&2; }
fail() { printf '[packages] error: %s\n' "$*" >&2; exit 1; }

# ---- the package sets: the program, its data, and the libraries that it and its modules load --------------------------------
# `libraries` below checks that a set is complete; when a library package was renamed, the full closure is fetched instead.
ASTERISK_SET="asterisk asterisk-modules asterisk-config asterisk-core-sounds-en-gsm libbsd0 libc6 libcap2 libcrypt1 libedit2
  libgcc-s1 libgsm1 libjansson4 libmd0 libsqlite3-0 libssl3t64 libstdc++6 libsystemd0 libtinfo6 liburiparser1 libuuid1
  libxml2-16 libxslt1.1 libzstd1 zlib1g"
REDIS_SET="redis-server redis-tools libatomic1 libc6 libcap2 libgcc-s1 libgcrypt20 libgpg-error0 libjemalloc2 liblz4-1 liblzf1
  liblzma5 libssl3 libstdc++6 libsystemd0 libzstd1"
ESPEAK_SET="espeak-ng espeak-ng-data libespeak-ng1 libpcaudio0 libsonic0 libc6 libgcc-s1 libstdc++6 libasound2 libpulse0
  libapparmor1 libasyncns0 libbsd0 libcap2 libdbus-1-3 libflac12 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libmd0 libmp3lame0
  libmpg123-0 libogg0 libopus0 libsndfile1 libsystemd0 libvorbis0a libvorbisenc2 libx11-6 libx11-xcb1 libxau6 libxcb1 libxdmcp6 libzstd1"
HAPROXY_SET="haproxy libc6 libcap2 libcrypt1 libgcc-s1 libgcrypt20 libgpg-error0 liblua5.3-0 liblz4-1 liblzma5
  libopentracing-c-wrapper0 libopentracing1 libpcre2-8-0 libssl3 libstdc++6 libsystemd0 libzstd1 zlib1g"

case $(dpkg --print-architecture 2>/dev/null || uname -m) in
  amd64 | x86_64) TRIPLET=x86_64-linux-gnu LOADER=ld-linux-x86-64.so.2 ;;
  arm64 | aarch64) TRIPLET=aarch64-linux-gnu LOADER=ld-linux-aarch64.so.1 ;;
  *) fail "no packages known for the architecture $(uname -m)" ;;
esac

# ---- what the machine has -----------------------------------------------------------------------------------------------------
# installed NAME: prints the path of a program that is new enough, or returns 1
installed() {
  case $1 in
    pip) return 1 ;;
    asterisk) wanted=20 program=asterisk ;;
    redis) wanted=6 program=redis-server ;;
    espeak) wanted=1.51 program=espeak-ng ;;
    haproxy) wanted=2.6 program=haproxy ;;
  esac
  path=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "$program") || return 1
  case $1 in
    asterisk) version=$("$path" -V 2>/dev/null | sed 's/^Asterisk \([0-9.]*\).*/\1/') ;;
    redis) version=$("$path" --version 2>/dev/null | sed 's/.* v=\([0-9.]*\).*/\1/') ;;
    espeak) version=$("$path" --version 2>/dev/null | sed 's/^[^:]*: \([0-9.]*\).*/\1/') ;;
    haproxy) version=$("$path" -v 2>/dev/null | sed -n 's/^HAProxy version \([0-9.]*\).*/\1/p') ;;
  esac
  [ -n "$version" ] || return 1
  oldest=$(printf '%s\n%s\n' "$wanted" "$version" | sort -V | head -n 1)
  [ "$oldest" = "$wanted" ] || { say "$path is version $version, too old (wanted: $wanted)"; return 1; }
  echo "$path"
}

# the folder of an installed Asterisk that holds every module of modules.conf, or return 1
installed_modules() {
  for folder in "/usr/lib/$TRIPLET/asterisk/modules" /usr/lib/asterisk/modules /usr/lib64/asterisk/modules; do
    [ -d "$folder" ] || continue
    for module in $(sed -n 's/^load *= *//p' "$PROJECT/asterisk_conf/modules.conf"); do
      [ -f "$folder/$module" ] || { say "the installed Asterisk has no $module"; return 1; }
    done
    echo "$folder"
    return 0
  done
  return 1
}

installed_data() {
  for folder in /usr/share/asterisk /var/lib/asterisk; do
    [ -f "$folder/documentation/core-en_US.xml" ] && [ -d "$folder/sounds/en" ] && { echo "$folder"; return 0; }
  done
  return 1
}

# use_installed NAME: links what the machine has into STEP/NAME, or returns 1
use_installed() {
  [ "$FORCED" = 1 ] && return 1
  found=$(installed "$1") || return 1
  target=$STEP/$1
  mkdir -p "$target/bin"
  if [ "$1" = asterisk ]; then
    modules=$(installed_modules) && data=$(installed_data) || { rm -rf "$target"; return 1; }
    ln -s "$modules" "$target/modules"
    ln -s "$data" "$target/data"
  fi
  ln -s "$found" "$target/bin/$(basename "$found")"
  say "$1: using the installed $found"
}

# ---- apt, with a state of its own ---------------------------------------------------------------------------------------------
mirror() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then echo "$DEBIAN_MIRROR"; return; fi
  {
    # deb822 files, then one-line files; either may be missing
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p'
  } | grep -v -e security -e backports | grep -E '/debian/?$' | head -n 1
}

# apt_state SUITE: makes a private apt state and reads the index. SUITE is "sid" or "machine" (the machine's own sources).
# As no package counts as installed, `apt-get install` later resolves the whole closure.
apt_state() {
  state=$STEP/apt-$1
  export APT_CONFIG="$state/apt.conf"
  [ -f "$APT_CONFIG" ] && return 0
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/state" "$state/parts"
  : > "$state/status"
  {
    echo "Dir::State \"$state/state\";"
    echo "Dir::State::lists \"$state/lists\";"
    echo "Dir::State::status \"$state/status\";"
    echo "Dir::Cache \"$state/cache\";"
    echo "Dir::Etc::preferencesparts \"$state/parts\";"
    # nothing runs after the index is read: the machine's own hooks may need root
    echo '#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success; #clear DPkg::Post-Invoke;'
    echo 'APT::Sandbox::User "root";'
    echo 'APT::Install-Recommends "false";'
    echo 'Acquire::Languages "none";'
    echo 'Acquire::Retries "3";'
    # a mirror a little behind the clock is no reason to stop: every file is checked against the signed index anyway
    echo 'Acquire::Check-Valid-Until "false";'
  } > "$APT_CONFIG"
  if [ "$1" = sid ]; then
    url=$(mirror)
    [ -n "$url" ] || fail "no Debian mirror in /etc/apt: set DEBIAN_MIRROR, for instance DEBIAN_MIRROR=http://deb.debian.org/debian"
    for keyring in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
      [ -f "$keyring" ] && break
    done
    [ -f "$keyring" ] || fail "the package debian-archive-keyring is missing: signatures cannot be checked"
    echo "deb [signed-by=$keyring] $url sid main" > "$state/sources.list"
    {
      echo "Dir::Etc::sourcelist \"$state/sources.list\";"
      echo "Dir::Etc::sourceparts \"$state/parts\";"
    } >> "$APT_CONFIG"
    say "reading the package index of Debian sid (11 MB) ..."
    apt-get -qq -o APT::Update::Error-Mode=any update || fail "apt could not read the index of Debian sid from $url"
  else
    say "reading the package index of this machine's own sources ..."
    # a third-party source that is down must not stop us: a package that is really missing fails below
    apt-get -qq update || say "warning: apt could not read every index"
  fi
}

# libraries ROOT: prints the libraries that a program or module below ROOT asks for and that ROOT lacks. One that the machine
# happens to have counts as lacking: the set must work on the next machine too.
libraries() {
  lib=$1/usr/lib/$TRIPLET
  for object in "$1"/usr/sbin/asterisk "$1"/usr/bin/redis-server "$1"/usr/bin/espeak-ng "$1"/usr/sbin/haproxy \
      $(sed -n 's/^load *= *//p' "$PROJECT/asterisk_conf/modules.conf" | sed "s|^|$lib/asterisk/modules/|"); do
    [ -f "$object" ] || continue
    "$(loader "$1")" --library-path "$(library_path "$1")" --list "$object" 2>&1
  done | sed -n -e 's/.*loading shared libraries: \([^:]*\):.*/\1/p' -e 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' \
    -e "\\|=> $1/|d" -e 's|^[[:space:]]*\([^ ]*\) => /.*|\1|p' | sort -u
}

loader() {
  for folder in "usr/lib/$TRIPLET" "lib/$TRIPLET" usr/lib64 lib64; do
    [ -e "$1/$folder/$LOADER" ] && { echo "$1/$folder/$LOADER"; return 0; }
  done
  echo "$1/usr/lib/$TRIPLET/$LOADER"
}

library_path() { echo "$1/usr/lib/$TRIPLET:$1/lib/$TRIPLET:$1/usr/lib/$TRIPLET/pulseaudio"; }

# unpack ROOT: unpacks every downloaded package of the current apt state
unpack() {
  rm -rf "$1"; mkdir -p "$1"
  for package in "$state"/cache/archives/*.deb; do dpkg-deb -x "$package" "$1"; done
}

# fetch NAME SUITE PROGRAM "PACKAGE ..." "TOP PACKAGE ..."
fetch() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "$1 is not installed and cannot be fetched: apt-get and dpkg-deb are needed (install $1 by other means)"
  apt_state "$2"
  root=$STEP/$1/root
  rm -f "$state"/cache/archives/*.deb
  say "$1: downloading $(echo $4 | wc -w) packages ..."
  complete=no
  if (cd "$state/cache/archives" && apt-get -qq download $4); then
    unpack "$root"
    missing=$(libraries "$root")
    if [ -z "$missing" ]; then complete=yes; else say "$1: not in the short list: $missing"; fi
  fi
  if [ $complete = no ]; then
    say "$1: the short list does not fit this release; downloading everything that $1 depends on (up to 90 MB) ..."
    rm -f "$state"/cache/archives/*.deb
    apt-get -qq -y install --download-only $5 >/dev/null ||
      fail "$1: apt could not download it (see above). Is the network up? Is the mirror reachable?"
    unpack "$root"
    missing=$(libraries "$root")
    [ -z "$missing" ] || fail "$1: libraries are missing even so: $missing"
  fi
  [ -e "$(loader "$root")" ] || fail "$1: the packages have no dynamic loader $LOADER"
  mkdir -p "$STEP/$1/bin"
  write_wrapper "$1" "$3"
  rm -f "$state"/cache/archives/*.deb
}

# The wrapper finds its packages beside itself, so that the folder may be moved or copied.
write_wrapper() {
  wrapper=$STEP/$1/bin/$(basename "$2")
  relative_loader=$(loader "$root" | sed "s|^$root/||")
  {
    echo '#!/bin/sh'
    echo 'root=$(dirname "$(dirname "$(readlink -f "$0")")")/root'
    echo "lib=\$root/usr/lib/$TRIPLET:\$root/lib/$TRIPLET:\$root/usr/lib/$TRIPLET/pulseaudio"
    [ "$1" = espeak ] && echo "export ESPEAK_DATA_PATH=\$root/usr/lib/$TRIPLET"
    echo "exec \"\$root/$relative_loader\" --library-path \"\$lib\" \"\$root/$2\" \"\$@\""
  } > "$wrapper"
  chmod +x "$wrapper"
}

fetch_asterisk() {
  fetch asterisk sid usr/sbin/asterisk "$ASTERISK_SET" "asterisk asterisk-core-sounds-en-gsm"
  # the package makes this link when it is installed; every sound:NAME needs it
  ln -sfn en_US_f_Allison "$STEP/asterisk/root/usr/share/asterisk/sounds/en"
  ln -s "root/usr/lib/$TRIPLET/asterisk/modules" "$STEP/asterisk/modules"
  ln -s root/usr/share/asterisk "$STEP/asterisk/data"
}
fetch_redis() { fetch redis machine usr/bin/redis-server "$REDIS_SET" redis-server; }
fetch_haproxy() { fetch haproxy machine usr/sbin/haproxy "$HAPROXY_SET" haproxy; }
fetch_espeak() { fetch espeak machine usr/bin/espeak-ng "$ESPEAK_SET" espeak-ng; }

# pip is one file that Python runs as it is: no loader, no libraries
fetch_pip() {
  apt_state machine
  say "pip: downloading 1 package ..."
  (cd "$state/cache/archives" && apt-get -qq download python3-pip-whl) || fail "pip: apt could not download python3-pip-whl"
  unpack "$STEP/pip"
  mv "$STEP"/pip/usr/share/python-wheels/pip-*.whl "$STEP/pip/" && rm -rf "$STEP/pip/usr"
  ln -s "$(basename "$STEP"/pip/pip-*.whl)" "$STEP/pip/pip.whl"
}

# ---- one after the other ------------------------------------------------------------------------------------------------------
version_of() {
  case $1 in
    asterisk) "$2/bin/asterisk" -V ;;
    redis) "$2/bin/redis-server" --version ;;
    espeak) "$2/bin/espeak-ng" --version ;;
    haproxy) "$2/bin/haproxy" -v ;;
    pip) basename "$2"/pip-*.whl .whl ;;
  esac | head -n 1
}

# A folder is ready when its stamp names where it came from and its program still answers.
ready() {
  [ -f "$TOP/$1/.origin" ] || return 1
  [ "$FORCED" = 1 ] && [ "$(cat "$TOP/$1/.origin")" != fetched ] && return 1
  [ -n "$(version_of "$1" "$TOP/$1" 2>/dev/null)" ]
}

trap 'rm -rf "$STEP"' EXIT
trap 'exit 130' INT TERM HUP
[ $# -gt 0 ] || set -- asterisk redis espeak
for name in "$@"; do
  case $name in
    asterisk | redis | espeak | haproxy | pip) ;;
    *) fail "unknown package set $name (asterisk, redis, espeak, haproxy or pip)" ;;
  esac
  if ready "$name"; then continue; fi
  mkdir -p "$STEP"
  exec 9> "$TOP/.fetch.lock"; flock 9                    # a second run at the same time waits, then finds all ready
  if ready "$name"; then continue; fi
  if use_installed "$name"; then origin=installed; else "fetch_$name"; origin=fetched; fi
  version=$(version_of "$name" "$STEP/$name" 2> "$STEP/version.log")
  [ -n "$version" ] || { cat "$STEP/version.log" >&2; fail "$name was provided but does not run (see above)"; }
  echo $origin > "$STEP/$name/.origin"
  rm -rf "${TOP:?}/$name"
  mv "$STEP/$name" "$TOP/$name"
  say "$name: ready ($version)"
done
