//! Sets up the allocator of the program and how it is linked, and only of the program: who embeds the library has an allocator of their own.

use std::env;

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
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
}
