//! The API's style and its compatibility with the last release (`proto/baseline.binpb`), judged by buf.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The version of `@bufbuild/buf` on npm; it brings the program with it.
const BUF: &str = "1.75.0";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn buf() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = root().join("target/tools").join(format!("buf-{BUF}"));
        let program = folder.join("node_modules/.bin/buf");
        if !program.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
            let output = npm.arg(format!("@bufbuild/buf@{BUF}")).output().expect("npm, which comes with Node.js");
            assert!(output.status.success(), "npm install @bufbuild/buf: {}", said(&output));
        }
        program
    })
}

/// Compares the API in `folder` with the one of the last release.
fn breaking(folder: &Path) -> Output {
    let mut buf = Command::new(buf());
    buf.current_dir(root()).arg("breaking").arg(folder).arg("--against").arg("proto/baseline.binpb").output().unwrap()
}

// One test, so that two processes do not install buf at once.
#[test]
fn the_api_is_well_formed_and_keeps_what_it_promised() {
    let lint = Command::new(buf()).current_dir(root()).args(["lint", "proto"]).output().unwrap();
    assert!(lint.status.success(), "buf lint: {}", said(&lint));
    an_element_without_a_comment_is_refused();

    let breaking = breaking(Path::new("proto"));
    assert!(
        breaking.status.success(),
        "the API breaks its users: CONTRIBUTING.md says what to do\n{}",
        said(&breaking)
    );
    a_field_that_is_gone_is_refused();
}

fn a_field_that_is_gone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("proto/insights"), &folder.path().join("insights"));
    std::fs::copy(root().join("proto/buf.yaml"), folder.path().join("buf.yaml")).unwrap();
    let file = folder.path().join("insights/metrics/v1/metrics.proto");
    let proto = std::fs::read_to_string(&file).unwrap();
    let field = proto.lines().find(|line| line.trim_start().starts_with("int64 min_version =")).unwrap();
    std::fs::write(&file, proto.replacen(&format!("{field}\n"), "", 1)).unwrap();
    let breaking = breaking(folder.path());
    assert!(!breaking.status.success() && said(&breaking).contains("min_version"), "{}", said(&breaking));
}

/// Copies a folder with all that is below it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn an_element_without_a_comment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("proto/buf.yaml"), folder.path().join("buf.yaml")).unwrap();
    let package = folder.path().join("insights/sample/v1");
    std::fs::create_dir_all(&package).unwrap();
    let bare = "syntax = \"proto3\";\npackage insights.sample.v1;\nmessage Bare {}\n";
    std::fs::write(package.join("sample.proto"), bare).unwrap();
    let lint = Command::new(buf()).current_dir(folder.path()).arg("lint").output().unwrap();
    assert!(!lint.status.success() && said(&lint).contains("Bare"), "{}", said(&lint));
}
