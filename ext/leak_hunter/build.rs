//! Hands the configuration of the Ruby built against to the code, e.g. as `cfg(ruby_gte_3_4)`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (major, minor) = rb_sys_env::activate()?.ruby_major_minor();
    println!("cargo:rustc-env=LEAK_HUNTER_RUBY={major}.{minor}");
    Ok(())
}
