//! Hands the configuration of the Ruby built against to `cfg`, e.g. `cfg(ruby_gte_3_4)`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rb_sys_env::activate()?;
    Ok(())
}
