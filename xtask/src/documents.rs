//! Tests of the documents: what they point to is there.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") && name != "demo-out" {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found
}

/// What a document links to: the part in parentheses of `[text](target)`, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        // Every second part is code.
        if number % 2 == 1 {
            continue;
        }
        let mut rest = part;
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let end = rest.find([')', '\n']).unwrap_or(rest.len());
            links.push(rest[..end].to_owned());
        }
    }
    links
}

#[test]
fn links_are_found_outside_of_code_only() {
    let text = "a [b](c.md) ![d](e.png)\n```\n[no](x.md)\n```\n[f](g.md#h)";
    assert_eq!(links(text), ["c.md", "e.png", "g.md#h"]);
}

#[test]
fn every_link_and_picture_in_the_documents_is_there() {
    let documents = documents();
    assert!(documents.len() > 15, "{documents:?}");
    let mut missing = Vec::new();
    for document in &documents {
        let text = std::fs::read_to_string(document).unwrap();
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !document.parent().unwrap().join(target).exists() {
                missing.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_manual_lists_every_page_once() {
    let folder = root().join("docs/manual/src");
    let listed = links(&std::fs::read_to_string(folder.join("SUMMARY.md")).unwrap());
    let mut pages: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    let mut sorted = listed.clone();
    sorted.sort();
    pages.sort();
    assert_eq!(sorted, pages);
    for page in listed {
        let text = std::fs::read_to_string(folder.join(&page)).unwrap();
        assert!(text.starts_with("# ") && text.len() > 500, "{page} is no page");
    }
}

/// The workflow runs elsewhere; here at least the commands it calls are those that there are.
#[test]
fn the_release_workflow_calls_commands_that_there_are() {
    let text = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let commands: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("run: cargo xtask ")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let name = command.split(' ').next().unwrap();
        assert!(crate::HELP.contains(&format!("cargo xtask {name} ")), "cargo xtask {name}");
    }
    for file in text.lines().filter_map(|line| line.trim().strip_prefix("run: bash ")) {
        let script = root().join(file.split(' ').next().unwrap());
        assert!(script.exists(), "{}", script.display());
        if crate::run::on_path("bash") {
            let status = std::process::Command::new("bash").arg("-n").arg(&script).status().unwrap();
            assert!(status.success(), "{} is no shell script", script.display());
        }
    }
    let version = format!("rustup toolchain install {}", env!("CARGO_PKG_RUST_VERSION"));
    assert!(text.contains(&version), "the workflow builds with another Rust than `{version}`");
}
