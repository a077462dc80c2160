//! Tells cargo when the web build has changed: what it embeds are files that no source names.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=build.rs");
}
