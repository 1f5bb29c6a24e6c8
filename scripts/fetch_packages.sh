#!/bin/sh
# Provide Asterisk, Redis, espeak-ng, PostgreSQL, the voice SVOX Pico and recordings of people under .pronto/, without root.
#
#   scripts/fetch_packages.sh [asterisk] [redis] [espeak] [postgresql] [pico] [people] [haproxy] [monitoring] [chromium] [pip]
#                                                                         (the first six when none is named)
#
# What the machine has already is used when it is new enough (Asterisk 20.15 with the modules of asterisk_conf/modules.conf,
# Redis 6, espeak-ng 1.51, PostgreSQL 13). Otherwise Asterisk is the version of asterisk_conf/asterisk.version, with a warning when the mirror
# has another one by now, and the rest what Debian has. The packages are downloaded with a private apt state and unpacked, and run
# through their own dynamic loader, so that nothing of the machine is changed or needed. Only apt-get and dpkg-deb are used.
#
# Result, the same in both cases:
#   .pronto/asterisk/bin/asterisk   .pronto/asterisk/modules/   .pronto/asterisk/data/
#   .pronto/redis/bin/redis-server  .pronto/espeak/bin/espeak-ng  .pronto/haproxy/bin/haproxy
#   .pronto/postgresql/bin/postgres   .pronto/postgresql/bin/initdb
#   .pronto/monitoring/bin/prometheus   .pronto/monitoring/bin/promtool   .pronto/monitoring/bin/prometheus-alertmanager
#   .pronto/chromium/bin/chromium   (with the machine's C library: its own processes start themselves anew)
#   .pronto/pico/libttspico.so.0   .pronto/pico/lang/      (no program: the speech service loads the library)
#   .pronto/people/sounds/fr/ it/ en/   .pronto/people/texts/core-sounds-fr.txt.gz   (what tests are heard by, never shipped)
# and, only for a Python that came without pip:  .pronto/pip/pip.whl
#
# Environment:
#   PRONTO_FETCHED=1   fetch even what is installed (and replace what an earlier run took from the machine)
#   PRONTO_SMALL=1     leave the recordings of people out
#   PRONTO_PINNED=1    no other Asterisk than the pinned one: fail where the mirror does not have it
#   DEBIAN_MIRROR      the Debian mirror for Asterisk, when the machine's own apt sources name none; or a snapshot of Debian
set -eu

PROJECT=$(cd "$(dirname "$0")/.." && pwd)
TOP=$PROJECT/.pronto
FORCED=${PRONTO_FETCHED:-0}
STEP=$TOP/.fetch.$$
ASTERISK_VERSION=$(sed '/^#/d' "$PROJECT/asterisk_conf/asterisk.version")

say() { printf '[packages] %s\n' "$*" >&2; }
fail() { printf '[packages] error: %s\n' "$*" >&2; exit 1; }

# ---- the package sets: the program, its data, and the libraries that it and its modules load --------------------------------
# `libraries` below checks that a set is complete; when a library package was renamed, the full closure is fetched instead.
ASTERISK_SET="asterisk asterisk-modules asterisk-config asterisk-core-sounds-en-gsm libbsd0 libc6 libcap2 libcrypt1 libedit2
  libgcc-s1 libgsm1 libjansson4 libmd0 libnspr4 libnss3 libsqlite3-0 libsrtp2-1 libssl3t64 libstdc++6 libsystemd0 libtinfo6
  liburiparser1 libuuid1 libxml2-16 libxslt1.1 libzstd1 zlib1g"
REDIS_SET="redis-server redis-tools libatomic1 libc6 libcap2 libgcc-s1 libgcrypt20 libgpg-error0 libjemalloc2 liblz4-1 liblzf1
  liblzma5 libssl3 libstdc++6 libsystemd0 libzstd1"
ESPEAK_SET="espeak-ng espeak-ng-data libespeak-ng1 libpcaudio0 libsonic0 libc6 libgcc-s1 libstdc++6 libasound2 libpulse0
  libapparmor1 libasyncns0 libbsd0 libcap2 libdbus-1-3 libflac12 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libmd0 libmp3lame0
  libmpg123-0 libogg0 libopus0 libsndfile1 libsystemd0 libvorbis0a libvorbisenc2 libx11-6 libx11-xcb1 libxau6 libxcb1 libxdmcp6 libzstd1"
HAPROXY_SET="haproxy libc6 libcap2 libcrypt1 libgcc-s1 libgcrypt20 libgpg-error0 liblua5.3-0 liblz4-1 liblzma5
  libopentracing-c-wrapper0 libopentracing1 libpcre2-8-0 libssl3 libstdc++6 libsystemd0 libzstd1 zlib1g"
MONITORING_SET="prometheus prometheus-alertmanager libc6"
# of Debian's section non-free: the voices' licence is Apache-2.0, but nobody has their sources. Not built into anything of ours
PICO_SET="libttspico0 libttspico-data"
# Asterisk's prompts, spoken by people, with what they say: June Wallack (CC-BY-SA-3.0), Carlo Flora (CC-BY-3.0), Allison Smith (CC-BY-SA-3.0)
PEOPLE_SET="asterisk-core-sounds-fr asterisk-core-sounds-fr-gsm asterisk-core-sounds-it asterisk-core-sounds-it-gsm
  asterisk-core-sounds-en asterisk-core-sounds-en-gsm"
POSTGRESQL_SET="postgresql-15 libaudit1 libc6 libcap-ng0 libcap2 libcom-err2 libcrypt1 libgcc-s1 libgcrypt20 libgmp10 libgnutls30
  libgpg-error0 libgssapi-krb5-2 libhogweed6 libicu72 libidn2-0 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libldap-2.5-0
  liblz4-1 liblzma5 libnettle8 libp11-kit0 libffi8 libpam0g libpq5 libsasl2-2 libssl3 libstdc++6 libsystemd0 libtasn1-6
  libunistring2 libuuid1 libxml2 libxslt1.1 libzstd1 zlib1g"

CHROMIUM_SET="chromium chromium-common libasound2 libatk-bridge2.0-0 libatk1.0-0 libatspi2.0-0 libavahi-client3 libavahi-common3
  libblkid1 libbrotli1 libbsd0 libcairo2 libcap2 libcom-err2 libcups2 libdatrie1 libdav1d6 libdbus-1-3 libdrm2 libexpat1
  libffi8 libfontconfig1 libfreetype6 libfribidi0 libgbm1 libgcc-s1 libgcrypt20 libglib2.0-0 libgmp10 libgnutls30
  libgpg-error0 libgraphite2-3 libgssapi-krb5-2 libharfbuzz0b libhogweed6 libidn2-0 libjpeg62-turbo libk5crypto3
  libkeyutils1 libkrb5-3 libkrb5support0 liblcms2-2 liblz4-1 liblzma5 libmd0 libmount1 libnettle8 libnspr4 libnss3
  libp11-kit0 libpango-1.0-0 libpcre2-8-0 libpixman-1-0 libpng16-16 libselinux1 libstdc++6 libsystemd0 libtasn1-6
  libthai0 libudev1 libunistring2 libwayland-server0 libx11-6 libx11-xcb1 libxau6 libxcb-render0 libxcb-shm0 libxcb1
  libxcomposite1 libxdamage1 libxdmcp6 libxext6 libxfixes3 libxi6 libxkbcommon0 libxrandr2 libxrender1 libzstd1 zlib1g
  libopenh264-7 libdouble-conversion3 libharfbuzz-subset0 libpulse0 libflac12 libopus0 libxnvctrl0 libminizip1
  libopenjp2-7 libogg0 libsndfile1 libasyncns0 libvorbis0a libvorbisenc2 libmp3lame0 libmpg123-0"

case $(dpkg --print-architecture 2>/dev/null || uname -m) in
  amd64 | x86_64) TRIPLET=x86_64-linux-gnu LOADER=ld-linux-x86-64.so.2 ;;
  arm64 | aarch64) TRIPLET=aarch64-linux-gnu LOADER=ld-linux-aarch64.so.1 ;;
  *) fail "no packages known for the architecture $(uname -m)" ;;
esac

# ---- what the machine has -----------------------------------------------------------------------------------------------------
# installed NAME: prints the path of a program that is new enough, or returns 1
installed() {
  case $1 in
    pip | people) return 1 ;;
    pico) installed_pico; return ;;
    asterisk) wanted=20.15 program=asterisk ;;
    redis) wanted=6 program=redis-server ;;
    espeak) wanted=1.51 program=espeak-ng ;;
    haproxy) wanted=2.6 program=haproxy ;;
    postgresql) wanted=13 program=postgres ;;
    monitoring) wanted=2.40 program=prometheus ;;
    chromium) wanted=110 program=chromium ;;
  esac
  path=$(PATH=$PATH:/usr/local/sbin:/usr/sbin:$(debian_postgresql) command -v "$program") || return 1
  case $1 in
    asterisk) version=$("$path" -V 2>/dev/null | sed 's/^Asterisk \([0-9.]*\).*/\1/') ;;
    redis) version=$("$path" --version 2>/dev/null | sed 's/.* v=\([0-9.]*\).*/\1/') ;;
    espeak) version=$("$path" --version 2>/dev/null | sed 's/^[^:]*: \([0-9.]*\).*/\1/') ;;
    haproxy) version=$("$path" -v 2>/dev/null | sed -n 's/^HAProxy version \([0-9.]*\).*/\1/p') ;;
    monitoring) version=$("$path" --version 2>&1 | sed -n 's/^prometheus, version \([0-9.]*\).*/\1/p') ;;
    chromium) version=$("$path" --version 2>/dev/null | sed -n 's/^Chromium \([0-9.]*\).*/\1/p') ;;
    postgresql) version=$("$path" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9.]*\).*/\1/p') ;;
  esac
  [ -n "$version" ] || return 1
  oldest=$(printf '%s\n%s\n' "$wanted" "$version" | sort -V | head -n 1)
  [ "$oldest" = "$wanted" ] || { say "$path is version $version, too old (wanted: $wanted)"; return 1; }
  echo "$path"
}

modules() { sed -n 's/^load *= *//p' "$PROJECT/asterisk_conf/modules.conf"; }
# the folder of the newest PostgreSQL of Debian's packages, which put their programs nowhere on the path
debian_postgresql() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

# the folder of an installed Asterisk that holds every module of modules.conf, or return 1
installed_modules() {
  for folder in "/usr/lib/$TRIPLET/asterisk/modules" /usr/lib/asterisk/modules /usr/lib64/asterisk/modules; do
    [ -d "$folder" ] || continue
    for module in $(modules); do
      [ -f "$folder/$module" ] || { say "the installed Asterisk has no $module"; return 1; }
    done
    echo "$folder"
    return 0
  done
  return 1
}

installed_pico() {
  [ -f /usr/share/pico/lang/fr-FR_ta.bin ] || return 1
  ls "/usr/lib/$TRIPLET/libttspico.so.0" 2>/dev/null
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
  if [ "$1" = pico ]; then
    ln -s "$found" "$target/libttspico.so.0"; ln -s /usr/share/pico/lang "$target/lang"; rmdir "$target/bin"
    say "pico: using the installed $found"
    return
  fi
  if [ "$1" = asterisk ]; then
    modules=$(installed_modules) && data=$(installed_data) || { rm -rf "$target"; return 1; }
    ln -s "$modules" "$target/modules"
    ln -s "$data" "$target/data"
  fi
  if [ "$1" = postgresql ]; then
    found=$(readlink -f "$found")
    [ -x "$(dirname "$found")/initdb" ] || { say "$found has no initdb beside it"; rm -rf "$target"; return 1; }
    ln -s "$(dirname "$found")/initdb" "$target/bin/initdb"
  fi
  if [ "$1" = monitoring ]; then
    for program in promtool prometheus-alertmanager; do
      other=$(command -v $program) || { say "$found has no $program beside it"; rm -rf "$target"; return 1; }
      ln -s "$other" "$target/bin/$program"
    done
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

# apt_state SUITE: makes a private apt state and reads the index. SUITE is "machine" (the machine's own sources), or a suite and
# its section.
# As no package counts as installed, `apt-get install` later resolves the whole closure.
apt_state() {
  state=$STEP/apt-${1%% *}
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
  if [ "$1" != machine ]; then
    url=$(mirror)
    [ -n "$url" ] || fail "no Debian mirror in /etc/apt: set DEBIAN_MIRROR, for instance DEBIAN_MIRROR=http://deb.debian.org/debian"
    for keyring in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
      [ -f "$keyring" ] && break
    done
    [ -f "$keyring" ] || fail "the package debian-archive-keyring is missing: signatures cannot be checked"
    echo "deb [signed-by=$keyring] $url $1" > "$state/sources.list"
    {
      echo "Dir::Etc::sourcelist \"$state/sources.list\";"
      echo "Dir::Etc::sourceparts \"$state/parts\";"
    } >> "$APT_CONFIG"
    apt-get -qq -o APT::Update::Error-Mode=any update || fail "apt could not read the index of Debian $1 from $url"
  else
    # a third-party source that is down must not stop us: a package that is really missing fails below
    apt-get -qq update || say "warning: apt could not read every index"
  fi
}

# libraries ROOT: prints the libraries that a program or module below ROOT asks for and that ROOT lacks. One that the machine
# happens to have counts as lacking: the set must work on the next machine too.
libraries() {
  lib=$1/usr/lib/$TRIPLET
  for object in "$1"/usr/sbin/asterisk "$1"/usr/bin/redis-server "$1"/usr/bin/espeak-ng "$1"/usr/sbin/haproxy \
      "$1"/usr/bin/prometheus "$1"/usr/bin/promtool "$1"/usr/bin/prometheus-alertmanager \
      "$1"/usr/lib/postgresql/*/bin/postgres "$1"/usr/lib/postgresql/*/bin/initdb \
      $(modules | sed "s|^|$lib/asterisk/modules/|"); do
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

# PIN becomes `=VERSION`, or empty where the mirror has no longer the pinned version
PIN=
pin_asterisk() {
  offered=$(apt-cache madison asterisk | cut -d '|' -f 2 | tr -d ' ' | head -n 1)
  if apt-cache show "asterisk=$ASTERISK_VERSION" > "$STEP/pin.log" 2>&1; then PIN="=$ASTERISK_VERSION"; return; fi
  [ -z "${PRONTO_PINNED:-}" ] || fail "asterisk: the mirror has $offered, pinned is $ASTERISK_VERSION"
  say "warning: asterisk $ASTERISK_VERSION is pinned and the mirror has $offered, which is taken (asterisk_conf/asterisk.version)"
}

# pinned "PACKAGE ...": the same with the version at the packages that are made with asterisk
pinned() { for one in $1; do case $one in asterisk | asterisk-modules | asterisk-config) one=$one$PIN ;; esac; echo "$one"; done; }

# fetch NAME SUITE PROGRAM "PACKAGE ..." "TOP PACKAGE ..."
fetch() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "$1 is not installed and cannot be fetched: apt-get and dpkg-deb are needed (install $1 by other means)"
  say "$1: downloading $(echo $4 | wc -w) packages"
  apt_state "$2"
  [ "$1" != asterisk ] || pin_asterisk
  set -- "$1" "$2" "$3" "$(pinned "$4")" "$(pinned "$5")"
  root=$STEP/$1/root
  rm -f "$state"/cache/archives/*.deb
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
  if [ "$1" = postgresql ]; then write_postgresql_wrappers; else write_wrapper "$1" "$3"; fi
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

# initdb runs the postgres that lies beside it, so the wrappers take the programs' places there. PostgreSQL finds its data
# by its own place, too.
write_postgresql_wrappers() {
  relative_loader=$(loader "$root" | sed "s|^$root/||")
  for program in postgres initdb; do
    place=$(ls -d "$root"/usr/lib/postgresql/*/bin | sort -V | tail -n 1)/$program
    mv "$place" "$place.bin"
    {
      echo '#!/bin/sh'
      echo 'here=$(readlink -f "$0")'
      echo 'root=${here%/usr/lib/postgresql/*}'
      echo "exec \"\$root/$relative_loader\" --library-path \"\$root/usr/lib/$TRIPLET:\$root/lib/$TRIPLET\" \"\$here.bin\" \"\$@\""
    } > "$place"
    chmod 755 "$place"
    ln -s "../root${place#"$root"}" "$STEP/postgresql/bin/$program"
  done
}

fetch_asterisk() {
  fetch asterisk "sid main" usr/sbin/asterisk "$ASTERISK_SET" "asterisk asterisk-core-sounds-en-gsm"
  # the package makes this link when it is installed; every sound:NAME needs it
  ln -sfn en_US_f_Allison "$STEP/asterisk/root/usr/share/asterisk/sounds/en"
  ln -s "root/usr/lib/$TRIPLET/asterisk/modules" "$STEP/asterisk/modules"
  ln -s root/usr/share/asterisk "$STEP/asterisk/data"
}
fetch_redis() { fetch redis machine usr/bin/redis-server "$REDIS_SET" redis-server; }
fetch_haproxy() { fetch haproxy machine usr/sbin/haproxy "$HAPROXY_SET" haproxy; }
fetch_postgresql() { fetch postgresql machine "" "$POSTGRESQL_SET" postgresql; }
fetch_monitoring() {
  fetch monitoring machine usr/bin/prometheus "$MONITORING_SET" "prometheus prometheus-alertmanager"
  write_wrapper monitoring usr/bin/promtool
  # it looks for its templates in /usr only; this path is as long, and begins where the wrapper goes
  LC_ALL=C sed -i 's|/usr/share/prometheus/alertmanager|usr//share/prometheus/alertmanager|g' \
    "$root/usr/bin/prometheus-alertmanager"
  write_wrapper monitoring usr/bin/prometheus-alertmanager
  sed -i 's|^exec |cd "$root" \&\& exec |' "$STEP/monitoring/bin/prometheus-alertmanager"
}
# No loader of its own here: Chromium starts itself anew by /proc/self/exe. The machine's C library is as new as Debian's.
fetch_chromium() {
  say "chromium: downloading $(echo $CHROMIUM_SET | wc -w) packages (110 MB)"
  apt_state machine
  rm -f "$state"/cache/archives/*.deb
  (cd "$state/cache/archives" && apt-get -qq download $CHROMIUM_SET) || fail "chromium: apt could not download it (see above)"
  root=$STEP/chromium/root
  unpack "$root"
  mkdir -p "$STEP/chromium/bin"
  {
    echo '#!/bin/sh'
    echo 'root=$(dirname "$(dirname "$(readlink -f "$0")")")/root'
    echo "export LD_LIBRARY_PATH=\$root/usr/lib/$TRIPLET:\$root/lib/$TRIPLET:\$root/usr/lib/$TRIPLET/pulseaudio"
    echo 'exec "$root/usr/lib/chromium/chromium" "$@"'
  } > "$STEP/chromium/bin/chromium"
  chmod +x "$STEP/chromium/bin/chromium"
  rm -f "$state"/cache/archives/*.deb
}
fetch_espeak() { fetch espeak machine usr/bin/espeak-ng "$ESPEAK_SET" espeak-ng; }

# two files of data and a library that needs the C library only: nothing to run
fetch_pico() {
  say "pico: downloading $(echo $PICO_SET | wc -w) packages of Debian non-free"
  apt_state "bookworm non-free"
  rm -f "$state"/cache/archives/*.deb
  (cd "$state/cache/archives" && apt-get -qq download $PICO_SET) || fail "pico: apt could not download it (see above)"
  unpack "$STEP/pico/root"
  ln -s "root/usr/lib/$TRIPLET/libttspico.so.0" "$STEP/pico/libttspico.so.0"
  ln -s root/usr/share/pico/lang "$STEP/pico/lang"
  rm -f "$state"/cache/archives/*.deb
}

# sound files and texts: nothing to run
fetch_people() {
  say "people: downloading $(echo $PEOPLE_SET | wc -w) packages (7 MB)"
  apt_state machine
  rm -f "$state"/cache/archives/*.deb
  (cd "$state/cache/archives" && apt-get -qq download $PEOPLE_SET) || fail "people: apt could not download them (see above)"
  unpack "$STEP/people/root"
  mkdir -p "$STEP/people/sounds" "$STEP/people/texts"
  for one in fr_CA_f_June it_IT_m_Carlo en_US_f_Allison; do
    mv "$STEP/people/root/usr/share/asterisk/sounds/$one" "$STEP/people/sounds/${one%%_*}"
  done
  for one in fr it en; do
    mv "$STEP/people/root/usr/share/doc/asterisk-core-sounds-$one"/*.txt.gz "$STEP/people/root/usr/share/doc/asterisk-core-sounds-$one/copyright" \
      "$STEP/people/texts/" && mv "$STEP/people/texts/copyright" "$STEP/people/texts/copyright.$one"
  done
  rm -rf "$STEP/people/root" "$state"/cache/archives/*.deb
}

# What is wanted of NAME, as one word; another one than that of the last run makes it fetch again.
wanted() {
  case $1 in asterisk) { echo "$ASTERISK_VERSION $ASTERISK_SET"; modules; } | sha256sum | cut -d ' ' -f 1 ;; *) echo any ;; esac
}

# pip is one file that Python runs as it is: no loader, no libraries
fetch_pip() {
  say "pip: downloading 1 package"
  apt_state machine
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
    chromium) "$2/bin/chromium" --version ;;
    postgresql) "$2/bin/postgres" --version ;;
    monitoring) "$2/bin/prometheus" --version 2>&1 && "$2/bin/promtool" --version >/dev/null && "$2/bin/prometheus-alertmanager" --version >/dev/null ;;
    pico) [ -f "$2/libttspico.so.0" ] && [ -f "$2/lang/fr-FR_ta.bin" ] && echo 1.0 ;;
    pip) basename "$2"/pip-*.whl .whl ;;
    people) [ -f "$2/sounds/it/vm-goodbye.gsm" ] && [ -f "$2/texts/core-sounds-fr.txt.gz" ] && echo 1.6.1 ;;
  esac | head -n 1
}

# A folder is ready when its stamps name where it came from and what is wanted now, and its program still answers.
ready() {
  [ -f "$TOP/$1/.origin" ] || return 1
  [ "$1" != asterisk ] || [ "$(cat "$TOP/$1/.wanted" 2>/dev/null)" = "$(wanted "$1")" ] || return 1
  [ "$FORCED" = 1 ] && [ "$(cat "$TOP/$1/.origin")" != fetched ] && return 1
  [ -n "$(version_of "$1" "$TOP/$1" 2>/dev/null)" ]
}

trap 'rm -rf "$STEP"' EXIT
trap 'exit 130' INT TERM HUP
[ $# -gt 0 ] || set -- asterisk redis espeak postgresql pico $([ "${PRONTO_SMALL:-0}" = 1 ] || echo people)
for name in "$@"; do
  case $name in
    asterisk | redis | espeak | postgresql | pico | people | haproxy | monitoring | chromium | pip) ;;
    *) fail "unknown package set $name (asterisk, redis, espeak, postgresql, pico, people, haproxy, monitoring, chromium or pip)" ;;
  esac
  if ready "$name"; then continue; fi
  mkdir -p "$STEP"
  exec 9> "$TOP/.fetch.lock"; flock 9                    # a second run at the same time waits, then finds all ready
  if ready "$name"; then continue; fi
  if use_installed "$name"; then origin=installed
  elif [ "$name" = pico ]; then
    # a mirror without non-free, or another architecture: speech has a voice without it
    (fetch_pico) || { say "warning: without Pico run-time speech is said by espeak-ng"; exec 9>&-; continue; }
    origin=fetched
  elif [ "$name" = people ]; then
    (fetch_people) || { say "warning: without recordings of people the tests that need them are left out"; exec 9>&-; continue; }
    origin=fetched
  else "fetch_$name"; origin=fetched; fi
  version=$(version_of "$name" "$STEP/$name" 2> "$STEP/version.log")
  [ -n "$version" ] || { cat "$STEP/version.log" >&2; fail "$name was provided but does not run (see above)"; }
  echo $origin > "$STEP/$name/.origin"
  wanted "$name" > "$STEP/$name/.wanted"
  rm -rf "${TOP:?}/$name"
  mv "$STEP/$name" "$TOP/$name"
done
