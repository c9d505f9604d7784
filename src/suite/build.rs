//! Makes cargo notice scenarios and snapshots that come and go, since they are embedded.

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
    println!("cargo::rerun-if-changed=snapshots");
}
