//! The committed build of the page belongs to its sources: the same hash as `ui/stamp.mjs` writes.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const SOURCES: [&str; 11] = [
    "../../../libs/messages/locales/en/page.ftl",
    "../../../libs/messages/locales/pt/page.ftl",
    "index.html",
    "build",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "buf.gen.yaml",
    "public",
    "src",
];

fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a folder");
    entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect()
}

#[test]
fn the_committed_page_was_built_from_these_sources() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut sources: Vec<(String, PathBuf)> = Vec::new();
    for name in SOURCES {
        for path in files(&ui.join(name)) {
            let shown = path.strip_prefix(&ui).expect("below").to_string_lossy().into_owned();
            sources.push((shown, path));
        }
    }
    sources.retain(|(name, _)| !name.starts_with("src/gen/"));
    sources.sort();
    let mut hash = Sha256::new();
    for (name, path) in sources {
        let body = fs::read(path).expect("a file");
        hash.update(format!("{name}\0{}\0", body.len()));
        hash.update(body);
    }
    let built: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let stamp = fs::read_to_string(ui.join("dist/sources.sha256")).expect("a stamp");
    assert_eq!(
        stamp.trim(),
        built,
        "the page was not built from these sources: run `npm install --no-save && npm run build` in services/reporting/ui"
    );
}
