# What every reproducer of FINDINGS.md begins with: sh FILE [URI], as root.
# It makes the domain demo with the disks it is asked for, in a directory of
# its own, and removes all of it in the end. What comes after `show` is printed.
set -eu
export VIRSH_DEFAULT_CONNECT_URI="${1:-qemu:///system}" LC_ALL=C
if virsh dominfo demo >/dev/null 2>&1; then
    echo 'stopped: there is a domain demo already' >&2
    exit 2
fi
dir=$(mktemp -d)
cd "$dir"
chmod 1777 . # QEMU may run as another user
exec 3>&1 >setup.log 2>&1

end() {
    [ -n "$shown" ] || tail -n 3 setup.log >&3
    exec >/dev/null 2>&1
    set +e
    virsh destroy demo
    virsh undefine demo --managed-save --snapshots-metadata --checkpoints-metadata
    rm -rf "$dir"
    [ -n "$shown" ] && exit 0
    exit 2
}
shown=
trap '{ set +x; } 2>/dev/null; end' EXIT
trap 'exit 130' HUP INT TERM

show() {
    exec >&3 2>&3
    shown=yes
    set +e -x
}

# disk NAME [OPTION...]: an image of 16 MiB; NAME ends in its format.
disk() {
    name=$1
    shift
    qemu-img create -q -f "${name##*.}" "$@" "$name" 16M
}

# start_domain IMAGE...: a running domain with these disks, vda, vdb, ...
start_domain() {
    # libvirt 7.0 backs up only what asks for it.
    case $(virsh version --daemon) in
    *'daemon: 7.0.'*) add="<qemu:add capability='incremental-backup'/>" ;;
    *) add= ;;
    esac
    {
        echo "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
            <name>demo</name><memory unit='MiB'>32</memory>
            <os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
        for letter in a b c d; do
            [ $# -gt 0 ] || continue
            echo "<disk type='file'><driver name='qemu' type='${1##*.}'/>
                <source file='$dir/$1'/><target dev='vd$letter' bus='virtio'/></disk>"
            shift
        done
        echo "<controller type='usb' model='none'/><memballoon model='none'/></devices>
            <qemu:capabilities>$add
            <qemu:del capability='cpu-unavailable-features'/></qemu:capabilities></domain>"
    } >demo.xml
    virsh define demo.xml
    virsh start demo
}

# guest_write NUMBER OFFSET LENGTH: disk 0 is vda.
guest_write() {
    virsh qemu-monitor-command --hmp demo \
        "qemu-io -d /machine/peripheral/virtio-disk$1/virtio-backend \"write -f -P 7 $2 $3\""
}

# backup XML [CHECKPOINT]: begins a backup, with a checkpoint of that name.
backup() {
    { set +x; } 2>/dev/null
    echo "$1" >backup.xml
    if [ $# = 1 ]; then
        virsh backup-begin demo backup.xml
    else
        echo "<domaincheckpoint><name>$2</name></domaincheckpoint>" >checkpoint.xml
        virsh backup-begin demo backup.xml checkpoint.xml
    fi
    [ -z "$shown" ] || set -x
}

# Waits for the end of the backup.
wait_for_backup() {
    while virsh backup-dumpxml demo; do sleep 0.1; done
    sleep 0.2
}

# What a crash or a loss of power does.
kill_qemu() {
    kill -9 "$(pgrep -f 'guest=demo,')"
    while virsh list --name | grep -qx demo; do sleep 0.1; done
}
