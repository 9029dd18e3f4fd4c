//! Tests of the documents: what they point to is there.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Markdown file in a folder of the project's.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
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

/// What a heading is called in links to it: lower case, letters, digits and hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let prose = text.split("```").step_by(2);
    prose.flat_map(str::lines).any(|line| {
        line.starts_with('#') && anchor(line.trim_start_matches('#').trim_matches([' ', '`'])) == wanted
    })
}

/// Links of the documents in a folder to files or headings that are not there.
pub fn missing(folder: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    for document in documents(folder) {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = document.parent().unwrap().join(file);
            let target = if file.is_empty() { document.clone() } else { target };
            let there = target.exists()
                && (heading.is_empty() || has_heading(&std::fs::read_to_string(&target).unwrap(), heading));
            if !there {
                missing.push(format!("{}: {link}", document.display()));
            }
        }
    }
    missing
}

#[test]
fn every_link_and_picture_in_the_documents_is_there() {
    assert!(documents(&root()).len() > 15);
    let missing = missing(&root());
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn links_to_what_is_not_there_are_found() {
    let folder = std::env::temp_dir().join(format!("idiom-documents-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = "# A page, of `code`\n[a](b.md) [c](#a-page-of-code) [d](#nowhere) [e](other.md#there) [f](other.md#not)";
    std::fs::write(folder.join("page.md"), text).unwrap();
    std::fs::write(folder.join("other.md"), "## There\n```\n# Not\n```\n").unwrap();
    let found: Vec<String> =
        missing(&folder).iter().map(|line| line.rsplit(' ').next().unwrap().into()).collect();
    assert_eq!(found, ["b.md", "#nowhere", "other.md#not"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The book's pages: all that is in its folder, each once; and a picture that no page shows is an old one.
#[test]
fn the_manual_lists_every_page_once_and_shows_every_picture() {
    let book = root().join("docs");
    let settings = std::fs::read_to_string(book.join("book.toml")).unwrap();
    assert!(settings.contains("src = \".\""), "SUMMARY.md is where mdBook looks for it");
    let listed = links(&std::fs::read_to_string(book.join("SUMMARY.md")).unwrap());
    let name = |path: &Path| path.strip_prefix(&book).unwrap().to_string_lossy().replace('\\', "/");
    let mut pages: Vec<String> = documents(&book).iter().map(|path| name(path)).collect();
    pages.retain(|page| page != "SUMMARY.md");
    let mut sorted = listed.clone();
    sorted.sort();
    pages.sort();
    assert_eq!(sorted, pages);
    let mut shown = std::fs::read_to_string(root().join("README.md")).unwrap();
    for page in listed {
        let text = std::fs::read_to_string(book.join(&page)).unwrap();
        assert!(text.starts_with("# ") && text.len() > 500, "{page} is no page");
        shown += &text;
    }
    for folder in ["images", "manual/src/images"] {
        for entry in std::fs::read_dir(book.join(folder)).unwrap().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            assert!(shown.contains(&format!("images/{file})")), "{folder}/{file} is shown nowhere");
        }
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
    // What is put together from the matrix is in it, and jobs that are waited for are there.
    let after = |mark: &'static str| text.split(mark).skip(1).map(|rest| rest.trim_start());
    let word = |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let mut used = after("${{ matrix.").map(word).peekable();
    assert!(used.peek().is_some());
    for name in used {
        let systems = text.lines().filter(|line| line.trim().starts_with("- os:")).count();
        let given =
            text.lines().filter(|line| line.trim().trim_start_matches("- ").starts_with(&format!("{name}:")));
        assert_eq!(given.count(), systems, "matrix.{name} is not given for each system");
    }
    for job in after("needs:").map(word) {
        assert!(text.contains(&format!("\n  {job}:\n")), "there is no job {job}");
    }
    let script = std::fs::read_to_string(root().join(".github/notarise.sh")).unwrap();
    for secret in after("secrets.").map(word) {
        assert!(script.contains(&format!("${secret}")), "the secret {secret} is used by nobody");
    }
    let version = format!("rustup toolchain install {}", env!("CARGO_PKG_RUST_VERSION"));
    assert!(text.contains(&version), "the workflow builds with another Rust than `{version}`");
}
