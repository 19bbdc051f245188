# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# The same guest under libvirt, for bench/dump: a driver inside virsh itself, whose
# files are all in $work, so that no daemon is asked and no other guest is touched.

# virsh_says TEXT: reads on until a line has TEXT.
virsh_says() {
    local line
    while IFS= read -r -t 120 line <&"${VIRSH[0]}"; do
        [[ $line != error:* ]] || die 1 "virsh: $line"
        [[ $line != *"$1"* ]] || return 0
    done
    cat "$work/virsh.stderr" >&2
    die 1 "virsh does not say: $1"
}

virsh_domain() {
    cat <<END
<domain type='qemu'>
  <name>bench-dump</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$HCS_KERNEL</kernel><initrd>$HCS_INITRD</initrd><cmdline>$command_line</cmdline>
  </os>
  <features><acpi/><vmcoreinfo state='on'/></features>
  <devices>
    <controller type='usb' model='none'/><memballoon model='none'/>
    <serial type='file'><source path='$work/virsh.serial'/></serial>
  </devices>
</domain>
END
}

start_virsh() {
    mkdir -p "$work/libvirt/etc"
    printf '%s\n' 'user = "root"' 'group = "root"' 'dynamic_ownership = 0' \
        'cgroup_controllers = []' 'namespaces = []' 'security_driver = "none"' \
        'stdio_handler = "file"' >"$work/libvirt/etc/qemu.conf"
    virsh_domain >"$work/virsh.xml"
    coproc VIRSH {
        exec timeout 600 stdbuf -oL virsh -c "qemu:///embed?root=$work/libvirt" 2>"$work/virsh.stderr"
    }
    virsh_pid=${VIRSH_PID:?}
    echo "create $work/virsh.xml" >&"${VIRSH[1]}"
    virsh_says "created from"
    timeout 120 grep -qm1 "hcs-guest: up" <(tail -F "$work/virsh.serial" 2>/dev/null) ||
        die 1 "libvirt's guest did not come up"
}

# virsh_dump FILE: milliseconds of virsh dump.
virsh_dump() {
    local began
    rm -f "$1"
    began=$(now_us)
    echo "dump bench-dump $1 --memory-only --live --format elf" >&"${VIRSH[1]}"
    virsh_says "dumped to"
    since "$began"
}

end_virsh() {
    printf 'destroy bench-dump\nquit\n' >&"${VIRSH[1]}"
    wait "$virsh_pid" || true
}

# Also when the bench was interrupted: the guest is nobody's child.
kill_virsh() {
    local file=$work/libvirt/run/qemu/bench-dump.pid
    [[ ! -s $file ]] || kill "$(<"$file")" 2>/dev/null || true
}
