//! The parts that every script has: what it is, its beginning, how it cleans up, the state at its end.

use std::fmt::Write as _;

use super::host::Lines;
use crate::model::{DiskFormat, Place};
use crate::plan::PlannedDisk;
use crate::scenario::Scenario;

/// Where libvirt keeps the metadata of checkpoints, with its own default
/// (`src/qemu/qemu_conf.c:virQEMUDriverConfigNew`).
const STORE: &str = "\
# Where that libvirt keeps the metadata of checkpoints.
store=${STORE:-/var/lib/libvirt/qemu/checkpoint}
";

/// What the script is, and how it is used.
pub(super) fn head(name: &str, scenario: &Scenario) -> String {
    let mut text = format!("#!/bin/sh\n# {name}\n#\n");
    for line in textwrap::wrap(scenario.summary.trim(), 76) {
        // It cannot fail: the text grows.
        let _ = writeln!(text, "# {line}");
    }
    for reference in &scenario.refs {
        let _ = writeln!(text, "# {}", reference.replace('\n', " "));
    }
    text.push_str(USE);
    text
}

const USE: &str = "\
#
# usage: sh FILE [URI], of a libvirt on this machine. As root qemu:///system is
# used where none is given. One domain is defined, and removed in the end.
#
# Exit code: 0 the call under test was answered as told below, 1 it was answered
# otherwise, 2 a step before it has failed, which is then told.
";

/// The variables, and how it cleans up. `body` tells which of them it uses.
pub(super) fn beginning(place: &Place, body: &str) -> String {
    let mut text = BEGINNING.to_owned();
    for (number, port) in (1..).zip(&place.ports) {
        if body.contains(&format!("$port{number}")) {
            let _ = writeln!(text, "port{number}=${{PORT{number}:-{port}}}");
        }
    }
    let has_store = body.contains("$store");
    if has_store {
        text.push_str(STORE);
    }
    text.push_str(CLEAN_UP);
    if body.contains("qemu-nbd") {
        text.push_str("    cat \"$dir\"/*.pid | xargs kill\n");
    }
    if has_store {
        text.push_str(
            "    [ -d \"$store/$domain\" ] || rm -f \"$store/$domain\"\n    \
             rm -rf \"$store/$domain.aside\"\n",
        );
    }
    text.push_str(CLEAN_UP_END);
    text
}

const BEGINNING: &str = "
set -eu
URI=${1:-${VIRSH_DEFAULT_CONNECT_URI:-qemu:///system}}
export VIRSH_DEFAULT_CONNECT_URI=\"$URI\" LC_ALL=C
emulator=${EMULATOR:-/usr/bin/qemu-system-x86_64}
domain=reproducer-$$
uuid=$(cat /proc/sys/kernel/random/uuid)
dir=$(mktemp -d)
chmod 1777 \"$dir\" # QEMU may run as another user
";

const CLEAN_UP: &str = "
step=
clean_up() {
    status=$?
    trap '' EXIT HUP INT TERM
    if [ -n \"$step\" ]; then
        echo \"stopped: this step has failed: $step\" >&2
        status=2
    fi
    exec >\"$dir/clean-up\" 2>&1
    set +e
    for name in $(virsh list --all --name | grep -E \"^$domain([^0-9]|$)\"); do
        virsh destroy \"$name\"
        virsh undefine \"$name\" --managed-save --snapshots-metadata \\
            --checkpoints-metadata
    done
";

const CLEAN_UP_END: &str = "    rm -rf \"$dir\"
    exit \"$status\"
}
trap clean_up EXIT
trap 'step=; exit 130' HUP INT TERM
";

/// What is left: the domain, its checkpoints, its jobs, its bitmaps.
pub(super) fn state(lines: &Lines<'_>) -> String {
    let with_bitmaps = |disk: &&PlannedDisk| disk.image.format == DiskFormat::Qcow2;
    let images = lines.disks.iter().filter(with_bitmaps);
    let images: Vec<String> = images
        .map(|disk| lines.names.word(&disk.image.path))
        .collect();
    let mut text = "
# The state after it.
echo '== state'
virsh domstate \"$domain\" || :
virsh checkpoint-list \"$domain\" --parent || :
virsh domjobinfo \"$domain\" || :
if virsh list --name | grep -qx \"$domain\"; then
    virsh qemu-monitor-command --pretty \"$domain\" \\
        '{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}' |
        sed -n '/\"dirty-bitmaps\": \\[/,/\\]/p'
"
    .to_owned();
    if !images.is_empty() {
        let _ = writeln!(
            text,
            "else\n    for image in {}; do\n        \
             qemu-img info \"$image\" || :\n    done",
            images.join(" ")
        );
    }
    text.push_str("fi\n");
    text
}
