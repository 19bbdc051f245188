# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What ./run and ./test have in common: steps with their times, packages, the
# build, the caches. Sourced from the project's root directory; everything it
# says goes to standard error.

hcs_root=$PWD
hcs_logs=$hcs_root/build/logs
hcs_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hcs
hcs_offline=${hcs_offline:-}

say() { printf '%s\n' "$*" >&2; }

# die STATUS TEXT...
die() {
    local status=$1
    shift
    say "${0##*/}: $*"
    exit "$status"
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# seconds MILLISECONDS: with one decimal.
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# The last line of a log, again and again, until killed.
show_progress() {
    local head=$1 log=$2 start=$3 width
    width=$(stty size 2>/dev/null <&2 | cut -d' ' -f2)
    width=$((${width:-80} - 1))
    while sleep 0.3; do
        local text
        text="$head ... $(seconds $(($(now_ms) - start)))  $(tail -c 300 "$log" |
            tr '\r' '\n' | tr -cd '[:print:]\n' | tail -n 1)"
        printf '\r%s\033[K' "${text:0:width}" >&2
    done
}

# attempt NAME TEXT COMMAND...: runs a command, its output kept in
# build/logs/NAME.log, and says how long it took. Shows the log's end when it
# fails. Returns its status; called under "set +e" (not in a condition), "set
# -e" is in force within a COMMAND that is a function of ours.
attempt() {
    local name=$1 text=$2 start head status progress='' log flags=$-
    shift 2
    mkdir -p "$hcs_logs"
    log=$hcs_logs/$name.log
    head=$(printf '  %-12s %s' "$name" "$text")
    start=$(now_ms)
    : >"$log"
    if [[ -t 2 ]]; then
        show_progress "$head" "$log" "$start" &
        progress=$!
    else
        printf '%s ... ' "$head" >&2
    fi
    set +e
    (
        set -e
        "$@"
    ) >>"$log" 2>&1 </dev/null
    status=$?
    if [[ $flags == *e* ]]; then set -e; fi
    if [[ $progress ]]; then
        kill "$progress"
        wait "$progress" 2>/dev/null || true
        printf '\r%s ... \033[K' "$head" >&2
    fi
    if ((status)); then
        say "failed ($status) after $(seconds $(($(now_ms) - start)))"
        say "--- the end of ${log#"$hcs_root"/}"
        tail -n "${HCS_LOG_LINES:-30}" "$log" >&2
        say "---"
        return "$status"
    fi
    say "$(seconds $(($(now_ms) - start)))"
}

# step NAME TEXT COMMAND...: an attempt without which nothing goes on.
step() {
    local status
    set +e
    attempt "$@"
    status=$?
    set -e
    ((status == 0)) || exit "$status"
}

# with_lock COMMAND...: one setup at a time, whoever started it.
with_lock() {
    mkdir -p "$hcs_cache"
    (
        if ! flock -n 9; then
            say "waiting for another ./run or ./test to finish its setup"
            flock 9
        fi
        "$@"
    ) 9>"$hcs_cache/setup.lock"
}

# --- packages ---------------------------------------------------------------

# missing PACKAGE...: those that are not installed.
missing() {
    local package status
    for package; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
        [[ $status == installed ]] || printf '%s ' "$package"
    done
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    local options=(-y --no-install-recommends -o DPkg::Lock::Timeout=600)
    # The lists may be absent, as in a fresh image, or too old to be served.
    apt-get install "${options[@]}" "$@" ||
        { apt-get update && apt-get install "${options[@]}" "$@"; }
}

# packages PACKAGE...: installs what is missing; without the right to, says the
# line that would and exits 2.
packages() {
    local wanted count
    wanted=$(missing "$@")
    [[ $wanted ]] || return 0
    wanted=${wanted% }
    if [[ $hcs_offline || $EUID -ne 0 ]]; then
        say "These packages are missing. As root:"
        say "  apt-get install -y --no-install-recommends $wanted"
        exit 2
    fi
    count=$(wc -w <<<"$wanted")
    fold -s -w 78 <<<"  apt-get install $wanted" | sed '2,$s/^/    /' >&2
    # shellcheck disable=SC2086
    step packages "$count to install" apt_install $wanted
}

# What the build needs, and what each host needs besides.
# shellcheck disable=SC2034
{
    build_packages=(gcc libc6-dev cmake ninja-build pkg-config lua5.4
        liblua5.4-dev lua-cjson libuv1-dev zlib1g-dev liblzma-dev libzstd-dev
        liblz4-dev libnftables-dev)
    qemu_packages=(qemu-system-x86 ovmf busybox-static dnsmasq-base)
    windows_packages=(gcc-mingw-w64-x86-64-win32 libz-mingw-w64-dev wine wine64
        dpkg-dev zip liblua5.4-0 lua-cjson lua-filesystem lua-term libcmocka0)
    msvc_packages=(clang lld llvm)
    test_packages=(git make lua-busted lua-check libcmocka-dev clang
        libclang-rt-14-dev clang-format
        shellcheck luarocks locales qemu-utils xz-utils
        binutils gdb crash makedumpfile)
}

# --- build ------------------------------------------------------------------

configured() { [[ -e $1/build.ninja ]]; }

# configure DIR CMAKE-ARGUMENT...
configure() {
    local dir=$1
    shift
    cmake -S "$hcs_root" -B "$dir" -G Ninja "$@"
}

# Whether the last complete build in DIR is newer than everything it is made of.
built() {
    local stamp=$1/.run-stamp
    [[ -e $stamp && -e $1/hcs/core.so && -z $(find "$hcs_root/src" "$hcs_root/cmake" \
        "$hcs_root/CMakeLists.txt" "$hcs_root/CMakePresets.json" \
        -newer "$stamp" -print -quit) ]]
}

# build DIR: what scripts need, not the tests. The stamp is as old as the start
# of the build: what changed meanwhile is built the next time.
build() {
    local dir=$1
    touch "$dir/.run-stamp.new"
    cmake --build "$dir" --target hcs_core hcshost hcs-vmwp hcs-hostd
    mv "$dir/.run-stamp.new" "$dir/.run-stamp"
}

# --- kernel and initramfs ---------------------------------------------------

kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1
}

# The digest that apt's signed list gives for a package's candidate.
package_digest() {
    apt-cache show --no-all-versions "$1" | sed -n 's/^SHA256: //p' | head -n 1
}

fetch_deb() {
    apt-get -o APT::Sandbox::User=root download "$1" && mv "$1"_*.deb package.deb
}

# Fetches the kernel that apt offers into kernel/DIGEST and makes it current.
fetch_kernel() {
    local package digest dir
    package=$(kernel_package)
    if [[ ! $package && $EUID -eq 0 ]]; then
        apt-get update
        package=$(kernel_package)
    fi
    if [[ ! $package ]]; then
        echo "apt offers no linux-image-cloud-amd64; bring a kernel: --kernel FILE"
        return 1
    fi
    digest=$(package_digest "$package")
    dir=$hcs_cache/kernel/$digest
    if [[ ! -e $dir/vmlinuz ]]; then
        unpack_kernel "$package" "$dir"
    fi
    ln -sfn "$digest" "$hcs_cache/kernel/current"
}

unpack_kernel() {
    local package=$1 dir=$2 staging
    mkdir -p "$hcs_cache/kernel"
    staging=$(mktemp -d "$hcs_cache/kernel/.new.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$staging'" RETURN
    (
        cd "$staging" || exit
        if ! fetch_deb "$package"; then
            [[ $EUID -eq 0 ]] && apt-get update && fetch_deb "$package"
        fi
        # apt checked the package against its list; this, that the list has
        # not moved on since the digest was asked for.
        echo "${dir##*/}  package.deb" | sha256sum --check
        dpkg-deb --fsys-tarfile package.deb |
            tar -x --strip-components=2 --wildcards './boot/vmlinuz-*'
        mv vmlinuz-* vmlinuz
        echo "$package" >name
    )
    rm -rf "$dir"
    mv "$staging" "$dir"
}

# The release that a bzImage says it is; nothing for other files.
kernel_release() {
    local offset
    [[ $(dd if="$1" bs=1 skip=514 count=4 2>/dev/null) == HdrS ]] || return 0
    offset=$(od -An -tu2 -j526 -N2 "$1")
    dd if="$1" bs=1 skip=$((offset + 512)) count=80 2>/dev/null |
        tr '\0' '\n' | head -n 1 | cut -d' ' -f1
}

# The initramfs's name: it changes with everything that it is made of.
initrd_path() {
    local key
    key=$({
        echo "$1"
        cat tools/guest/init tools/guest/build /bin/busybox
    } | sha256sum)
    echo "$hcs_cache/initrd/${key:0:32}.cpio"
}

# build_initrd KERNEL INITRD: with the modules that belong to the kernel.
build_initrd() {
    local kernel=$1 out=$2 deb=${1%/*}/package.deb modules='' staging release
    mkdir -p "${out%/*}"
    staging=$(mktemp -d "$hcs_cache/initrd/.new.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$staging'" RETURN
    release=$(kernel_release "$kernel")
    if [[ -e $deb ]]; then
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$staging" ./lib/modules
        modules=$(echo "$staging"/lib/modules/*)
    elif [[ $release && -d /lib/modules/$release ]]; then
        modules=/lib/modules/$release
    else
        echo "no modules for $kernel: the guest has what its kernel has built in"
    fi
    tools/guest/build --output "$out" ${modules:+--modules "$modules"}
}
