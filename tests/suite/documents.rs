//! What the documents name exists: linked files, paths, and the tests they call as witnesses.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

/// The folders that hold code; a quoted path beginning with one of them has to exist.
const FOLDERS: [&str; 5] = ["auth-core/", "auth-tower/", "auth-actix/", "examples/", "tests/"];

#[test]
fn links_in_documents_lead_somewhere() {
    let missing = quoted_in_documents(links, |document, target| {
        let elsewhere = target.contains("://") || target.starts_with('#');
        let file = target.split('#').next().unwrap_or(target);
        !elsewhere && !top().join(document).with_file_name(file).exists()
    });
    assert!(missing.is_empty(), "links to nothing:\n{}", missing.join("\n"));
}

#[test]
fn paths_in_documents_exist() {
    let missing = quoted_in_documents(code_spans, |_, span| {
        let is_path = FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains(['*', '{', ' ']);
        is_path && !top().join(span).exists()
    });
    assert!(missing.is_empty(), "paths to nothing:\n{}", missing.join("\n"));
}

/// A document that says which test shows something is believed only while that test is there.
#[test]
fn tests_named_in_documents_exist() {
    let known = tests_and_cases();
    let missing = quoted_in_documents(code_spans, |_, span| is_sentence(span) && !known.contains(span));
    assert!(missing.is_empty(), "no such test or case:\n{}", missing.join("\n"));
}

#[test]
fn every_attack_in_the_security_document_has_a_witness() {
    let security = fs::read_to_string(top().join("SECURITY.md")).expect("SECURITY.md can be read");
    let is_head = |line: &str| line.starts_with("| attack ") || line.starts_with("|---");
    let rows: Vec<&str> = security.lines().filter(|line| line.starts_with('|') && !is_head(line)).collect();
    let unseen = |row: &&&str| {
        !row.rsplit('|').nth(1).is_some_and(|shown_by| code_spans(shown_by).iter().any(|span| is_sentence(span)))
    };
    let without: Vec<_> = rows.iter().filter(unseen).collect();
    assert!(rows.len() >= 30, "only {} attacks", rows.len());
    assert!(without.is_empty(), "no test or case shows:\n{without:#?}");
}

/// The spans of every document for which `is_wrong`, each with its document.
fn quoted_in_documents(quoted: fn(&str) -> Vec<&str>, is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(top().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        let spans = quoted(&text);
        wrong.extend(
            spans.into_iter().filter(|span| is_wrong(document, span)).map(|span| format!("{document}: {span}")),
        );
    }
    wrong
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// What stands between single backticks, fenced blocks left out.
fn code_spans(text: &str) -> Vec<&str> {
    let outside_fences = text.split("```").step_by(2);
    outside_fences.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Whether a name reads like a test's: words, joined by three underscores or more.
fn is_sentence(span: &str) -> bool {
    let is_name = span.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_name && span.matches('_').count() >= 3
}

/// The names of all functions in the code and of all cases.
fn tests_and_cases() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in FOLDERS {
        visit(&top().join(folder), &mut |file| {
            let (before, after) = match file.extension().and_then(|ending| ending.to_str()) {
                Some("rs") => ("fn ", '('),
                Some("toml") => ("name = \"", '"'),
                _ => return,
            };
            let text = fs::read_to_string(file).expect("a source file can be read");
            let found = text.split(before).skip(1).filter_map(|rest| rest.split_once(after));
            names.extend(found.map(|(name, _)| name.to_owned()));
        });
    }
    names
}

fn visit(folder: &Path, file: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            visit(&path, file);
        } else {
            file(&path);
        }
    }
}

/// The top of the repository.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
