//! Libraries of other people's, unchanged, against the OAuth endpoints (`tests/node/oauth.mjs`).

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use super::perform::Stage;
use super::story::Changes;
use crate::corpus::folder;
use crate::gateway::{BINARIES, soon, tool};

const ISSUER: &str = "http://127.0.0.1:4000";

const ENDPOINTS: &str = r#"[endpoints.oauth_metadata]
path = "/.well-known/oauth-authorization-server"

[endpoints.public_keys]
path = "/jwks.json"

[errors]"#;

#[tokio::test]
async fn openid_client_and_oauth4webapi_work_unchanged() {
    let replaced = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let changes = Changes {
        replace: vec![
            replaced(r#"issuer = "vagaro""#, &format!("issuer = \"{ISSUER}\"")),
            replaced(r#"algorithm = "HS256""#, r#"algorithm = "ES256""#),
            replaced("[errors]", ENDPOINTS),
        ],
    };
    for binary in BINARIES {
        let stage = Stage::start(binary, "vagaro", Some(&changes)).await;
        let demo = |path: &str| stage.demo.pointer(path).and_then(serde_json::Value::as_str).unwrap().to_owned();
        let (id, dir) = (demo("/clients/0/client_id"), stage.gateway.dir.path());
        let administrate = |words: &[&str]| {
            let output = tool(binary, dir, words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        administrate(&["clients", "set-grants", &id, "--grant", "client_credentials,token_exchange"]);
        let jwks = dir.join("client.jwks.json");
        let mut command = Command::new("node");
        command
            .arg(folder("node/oauth.mjs"))
            .env("BASE_URL", demo("/base_url"))
            .env("CLIENT_ID", &id)
            .env("CLIENT_SECRET", demo("/clients/0/client_secret"))
            .env("ISSUER", ISSUER)
            .env("JWKS_FILE", &jwks)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("node is needed for this test ({error}): apt-get install nodejs");
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = soon("the program", lines.next_line()).await.unwrap();
        assert_eq!(first.as_deref(), Some("ready"), "it did not start: npm ci --prefix tests/node");
        administrate(&["clients", "set-keys", &id, "--jwks-file", jwks.to_str().unwrap()]);
        process.stdin.take().unwrap().write_all(b"go\n").await.unwrap();
        let output = soon("the program", process.wait_with_output()).await.unwrap();
        assert!(output.status.success(), "{binary}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
