//! Sets up the allocator of the program and how it is linked, and only of the program: who embeds the library has an allocator of their own.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=native/arenas.c");
    let target = |of: &str| env::var(format!("CARGO_CFG_TARGET_{of}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // An object and not an archive: nothing calls into it, so that the linker would leave it out of one.
    for object in cc::Build::new().file("native/arenas.c").compile_intermediates() {
        println!("cargo::rustc-link-arg-bins={}", object.display());
    }
    // Addresses that the loader has to fill in, as a map of bits: as a table they are a megabyte that every start reads through.
    if loads_packed_addresses() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the loader of this machine, which the program is for, knows the map: glibc's does from 2.36 on.
fn loads_packed_addresses() -> bool {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let version = told.unwrap_or_default();
    let mut numbers = version
        .trim_start_matches("glibc ")
        .trim()
        .split('.')
        .map(str::parse::<u32>);
    let is_new = matches!((numbers.next(), numbers.next()), (Some(Ok(2)), Some(Ok(36..))));
    is_new && env::var("HOST") == env::var("TARGET")
}
