//! Fail points are no part of a release build.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, process::Command};

const VARIABLE: &str = "INSIGHTS_FAIL_POINTS";

#[test]
fn a_release_build_has_no_fail_points() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fail_point.rs");
    assert!(fs::read_to_string(&source).unwrap().contains(VARIABLE), "what a debug build reads");
    let folder = tempfile::tempdir().unwrap();
    let compile = |name: &str, source: &Path, emit: &str| {
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-type", "rlib", "--crate-name", name, "--emit", emit, "-O"]);
        rustc.args(["-C", "debug-assertions=off", "-L"]).arg(folder.path()).arg("--out-dir").arg(folder.path());
        let output = rustc.arg(source).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(folder.path().join(format!("{name}.s"))).unwrap()
    };
    // By itself and without dependencies: what is left of it in a release build needs neither the environment nor a runtime.
    let built = compile("fail_point", &source, "link,asm");
    assert!(!built.contains(VARIABLE) && !built.contains("without"), "orders are read");
    // Functions with a constant answer: no call, no branch.
    let snippet = "extern crate fail_point; #[unsafe(no_mangle)] pub fn probe() -> bool { fail_point::hit(\"a\"); \
                   fail_point::guard_holds(\"b\") && !fail_point::fails(\"c\", \"d\") }";
    let user = folder.path().join("user.rs");
    fs::write(&user, snippet).unwrap();
    let assembly = compile("user", &user, "asm");
    let probe = assembly.split("\nprobe:").nth(1).unwrap().split(".cfi_endproc").next().unwrap().to_owned();
    assert!(!probe.contains("call") && !probe.contains("\tbl\t"), "{probe}");
}
