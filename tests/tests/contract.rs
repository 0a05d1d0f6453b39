//! The API's style and its compatibility with the main branch, judged by buf.
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

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root()).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn breaks_against(commit: &str) -> Output {
    let against = format!(".git#ref={commit},subdir=proto");
    Command::new(buf()).current_dir(root()).args(["breaking", "proto", "--against", &against]).output().unwrap()
}

// One test, so that two processes do not install buf at once.
#[test]
fn the_api_is_well_formed_and_does_not_break_the_main_branch() {
    let lint = Command::new(buf()).current_dir(root()).args(["lint", "proto"]).output().unwrap();
    assert!(lint.status.success(), "buf lint: {}", said(&lint));
    an_element_without_a_comment_is_refused();

    let known = |name: &&str| git(&["rev-parse", "--verify", "-q", name]).is_some();
    let Some(reference) = ["origin/main", "main"].into_iter().find(known) else {
        println!("no main branch here to compare with");
        return;
    };
    let commit = git(&["rev-parse", reference]).unwrap();
    if git(&["cat-file", "-e", &format!("{commit}:proto/buf.yaml")]).is_none() {
        println!("{reference} has no API yet");
        return;
    }
    let breaking = breaks_against(&commit);
    assert!(breaking.status.success(), "buf breaking against {reference}: {}", said(&breaking));
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
