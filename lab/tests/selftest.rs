//! The self-test as a person runs it.

use std::process::Command;

#[test]
fn all_twelve_checks_pass_and_are_told_as_json() {
    let output = Command::new(env!("CARGO_BIN_EXE_idiom")).args(["selftest", "--json"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(output.status.success(), "{errors}\n{report:#}");
    assert_eq!(report["passed"], true);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 12);
    for check in checks {
        assert_eq!(check["passed"], true, "{check}");
        assert!(check["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{check}");
        assert!(check["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{check}");
        let metrics = &check["metrics"];
        assert_eq!(metrics.is_object(), check["name"] == "inference performance", "{check}");
        if metrics.is_object() {
            assert_eq!(metrics["frames"], 500, "10 s are as many frames of 20 ms");
            assert!(metrics["stages"]["network"]["p99_ns"].as_u64().is_some_and(|ns| ns > 0), "{metrics}");
            assert!(metrics["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{metrics}");
        }
        println!("{} {:.2} s", check["name"], check["seconds"].as_f64().unwrap());
    }
}
