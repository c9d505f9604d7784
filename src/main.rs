//! The command `backup-tck`.

fn main() {}
