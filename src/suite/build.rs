//! Makes cargo notice scenarios, snapshots and profiles that come and go, since they are embedded.

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
    println!("cargo::rerun-if-changed=snapshots");
    println!("cargo::rerun-if-changed=src/policy/profiles");
}
