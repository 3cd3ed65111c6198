//! Link arguments of the shared library.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let soname = match target.as_str() {
        "linux" => "libdmsc.so.0",
        "android" => "libdmsc.so",
        _ => return,
    };
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    // Thread-locals and Java attachments outlive dlclose, so the library stays.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
