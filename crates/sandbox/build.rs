//! Compresses Stripe's document for the binary.

use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;
use std::path::Path;

const DOCUMENT: &str = "data/openapi-v1-2026-05-27.dahlia.nodescriptions.json";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let folder = std::env::var("OUT_DIR")?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&std::fs::read(DOCUMENT)?)?;
    std::fs::write(Path::new(&folder).join("openapi.json.gz"), packed.finish()?)?;
    Ok(())
}
