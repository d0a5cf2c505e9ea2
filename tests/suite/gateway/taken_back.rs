//! Opaque tokens, and credentials that are taken back while the gateway serves.

use std::path::Path;

use serde_json::{Value, json};

use super::process::{BINARIES, soon, tool};
use super::tokens::ISSUER;
use super::{Connection, Gateway, on_both, token};

fn config() -> String {
    let opaque = ISSUER.replacen("kinds = [\"jwt\"]", "kinds = [\"jwt\", \"opaque\"]", 1);
    format!("{opaque}\n[opaque_tokens]\nprefix = \"at\"\n[revocations]\n")
}

/// What the gateway's command line answers, for the gateway in that folder.
fn answer(binary: &str, dir: &Path, arguments: &[&str]) -> String {
    let output = tool(binary, dir, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn created(binary: &str, dir: &Path, more: &[&str]) -> Value {
    let arguments = [&["tokens", "create", "--json", "--subject", "ada", "--permission", "read"], more].concat();
    serde_json::from_str(&answer(binary, dir, &arguments)).unwrap()
}

async fn status(client: &mut Connection, token: &str) -> u16 {
    client.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {token}\n\n")).await.status()
}

/// Asks until the answer is that, which it must be soon.
async fn turns(client: &mut Connection, token: &str, to: u16) {
    soon("the other answer", async {
        while status(client, token).await != to {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_opaque_token_is_taken_beside_json_web_tokens_until_it_is_revoked() {
    for binary in BINARIES {
        let gateway = Gateway::start(binary, &config()).await;
        let dir = gateway.dir.path();
        let mut client = gateway.connect().await;
        let made = created(binary, dir, &["--tenant", "acme", "--session", "s-1"]);
        let opaque = made["token"].as_str().unwrap();
        assert!(opaque.starts_with("at_"), "{opaque}");
        assert_eq!(status(&mut client, opaque).await, 200);
        assert_eq!(status(&mut client, &token(json!({}))).await, 200);
        let write = format!("POST /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {opaque}\nContent-Length: 0\n\n");
        assert_eq!(client.ask(&write).await.status(), 403);
        let mistyped = format!("{}{}", &opaque[..opaque.len() - 1], if opaque.ends_with('a') { 'b' } else { 'a' });
        assert_eq!(status(&mut client, &mistyped).await, 401);

        let of_session = answer(binary, dir, &["tokens", "list", "--session", "s-1"]);
        assert!(of_session.contains(made["id"].as_str().unwrap()) && !of_session.contains(opaque), "{of_session}");
        let other = created(binary, dir, &[]);
        answer(binary, dir, &["tokens", "revoke", "--session", "s-1"]);
        turns(&mut client, opaque, 401).await;
        assert_eq!(status(&mut client, other["token"].as_str().unwrap()).await, 200, "another session");
    }
}

#[tokio::test]
async fn what_the_command_line_takes_back_is_refused_soon_and_after_a_restart() {
    for binary in BINARIES {
        let mut gateway = Gateway::start(binary, &config()).await;
        let [bad, good] = ["t-1", "t-2"].map(|id| token(json!({ "jti": id })));
        let mut client = gateway.connect().await;
        assert_eq!((status(&mut client, &bad).await, status(&mut client, &good).await), (200, 200));
        let arguments = ["revoke", "--credential", "t-1", "--issuer", "https://idp.example"];
        assert!(answer(binary, gateway.dir.path(), &arguments).starts_with("revoked"));
        turns(&mut client, &bad, 401).await;
        assert_eq!(status(&mut client, &good).await, 200);

        drop(client);
        gateway.terminate();
        assert!(gateway.ends().await.success());
        let gateway = Gateway::start_in(binary, &config(), gateway.dir).await;
        let mut client = gateway.connect().await;
        assert_eq!((status(&mut client, &bad).await, status(&mut client, &good).await), (401, 200), "after a restart");
    }
}

#[tokio::test]
async fn the_record_of_a_revoked_key_is_listed_for_a_while_and_removed() {
    let config = |kept: &str| {
        let taken = ISSUER.replacen("kinds = [\"jwt\"]", "kinds = [\"jwt\", \"api_key\"]", 1);
        format!("{taken}\n[api_keys]\nprefix = \"key\"\n{kept}\n")
    };
    for binary in BINARIES {
        let mut gateway = Gateway::start(binary, &config("")).await;
        let make = ["keys", "create", "--json", "--name", "ci", "--owner", "ada", "--permission", "read"];
        let [bad, good] =
            [(); 2].map(|()| -> Value { serde_json::from_str(&answer(binary, gateway.dir.path(), &make)).unwrap() });
        let [bad_id, good_id] = [&bad, &good].map(|made| made["id"].as_str().unwrap());
        let (bad, good) = (bad["key"].as_str().unwrap(), good["key"].as_str().unwrap());
        answer(binary, gateway.dir.path(), &["keys", "revoke", bad_id]);
        let mut client = gateway.connect().await;
        turns(&mut client, bad, 401).await;
        let listed = answer(binary, gateway.dir.path(), &["keys", "list"]);
        assert!(listed.contains(bad_id) && listed.contains("revoked"), "{listed}");

        // the first second of a start notes that it is revoked, and that of another one removes it that long afterwards
        let file = rusqlite::Connection::open(gateway.dir.path().join("data/gateway.sqlite3")).unwrap();
        let rows = |condition: &str| -> i64 {
            let query = format!("SELECT count(*) FROM api_keys WHERE id = ?1 AND {condition}");
            file.query_row(&query, [bad_id], |row| row.get(0)).unwrap()
        };
        let becomes = async |condition: &str, count: i64| {
            soon(condition, async {
                while rows(condition) != count {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        };
        drop(client);
        gateway.terminate();
        assert!(gateway.ends().await.success());
        let mut gateway = Gateway::start_in(binary, &config(""), gateway.dir).await;
        becomes("revoked IS NOT NULL", 1).await;
        assert_eq!(rows("status = 'revoked'"), 1, "30 days have not gone by");
        gateway.terminate();
        assert!(gateway.ends().await.success());
        let gateway = Gateway::start_in(binary, &config("keep_revoked = \"1ms\""), gateway.dir).await;
        becomes("true", 0).await;
        let mut client = gateway.connect().await;
        let listed = answer(binary, gateway.dir.path(), &["keys", "list"]);
        assert!(!listed.contains(bad_id) && listed.contains(good_id), "{binary}: {listed}");
        assert_eq!((status(&mut client, bad).await, status(&mut client, good).await), (401, 200), "{binary}");
    }
}

#[tokio::test]
async fn everything_issued_before_now_is_refused_and_a_fresh_token_passes() {
    on_both(&config(), async |gateway| {
        let (binary, dir) = (gateway.binary, gateway.dir.path());
        let mut client = gateway.connect().await;
        // a token without a time of issue counts as issued before
        let old = [token(json!({ "iat": 1_700_000_000 })), token(json!({}))];
        let opaque = created(binary, dir, &[]);
        for old in &old {
            assert_eq!(status(&mut client, old).await, 200);
        }
        let arguments = ["revoke", "--subject", "user-1", "--issuer", "https://idp.example", "--issued-before-now"];
        answer(binary, dir, &arguments);
        for old in &old {
            turns(&mut client, old, 401).await;
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(status(&mut client, &token(json!({ "iat": now + 1 }))).await, 200);
        assert_eq!(status(&mut client, opaque["token"].as_str().unwrap()).await, 200, "another issuer's subject");
    })
    .await;
}
