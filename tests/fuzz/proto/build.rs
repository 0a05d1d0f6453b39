//! Compiles the records alone.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../../proto/insights");
    let files = protox::compile(["insights/ingestion/v1/records.proto"], ["../../../proto"])?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
