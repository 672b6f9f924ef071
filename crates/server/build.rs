//! Makes the table of browser files for `src/assets.rs`. Runs nothing: `bin/web` builds the files.

use std::path::Path;
use std::{env, fs};

fn main() {
    if let Err(problem) = table() {
        println!("cargo::error={problem}");
    }
}

fn table() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?;
    let dist = Path::new(&root).join("../../web/dist");
    let manifest = dist.join("manifest.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=askama.toml");
    // Embedded by src/track/script.rs.
    if !dist.join("tracker.js").exists() {
        return Err("web/dist/tracker.js is missing: run bin/web first".to_owned());
    }
    let text = fs::read_to_string(&manifest)
        .map_err(|_| "web/dist/manifest.json is missing: run bin/web first".to_owned())?;

    let mut rows = String::new();
    for (name, hashed) in pairs(&text) {
        let include = |suffix: &str| {
            let file = dist.join(format!("{hashed}{suffix}"));
            let body = format!("include_bytes!({:?}).as_slice()", file.display().to_string());
            if suffix.is_empty() {
                body
            } else if file.exists() {
                format!("Some({body})")
            } else {
                "None".to_owned()
            }
        };
        rows.push_str(&format!(
            "    Asset {{ name: {name:?}, hashed: {hashed:?}, path: {:?}, plain: {}, gzip: {}, brotli: {} }},\n",
            format!("/assets/{hashed}"),
            include(""),
            include(".gz"),
            include(".br"),
        ));
    }
    if rows.is_empty() {
        return Err("web/dist/manifest.json names no file: run bin/web again".to_owned());
    }
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("assets.rs"), format!("static ASSETS: &[Asset] = &[\n{rows}];\n"))
        .map_err(|error| error.to_string())
}

/// The manifest is flat JSON of plain names that `bin/web` wrote: every second quoted text is a value.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let quoted: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    quoted.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}
