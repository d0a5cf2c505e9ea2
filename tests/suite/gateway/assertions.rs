//! Who the caller is, signed for the upstream: what it can check, and what nobody else can send it.

use std::os::unix::fs::PermissionsExt as _;

use auth_core::keys::KeySet;
use auth_core::verify::Verifier as _;
use auth_core::verify::jwt::{Issuer, JwtVerifier, TokenKind};
use auth_core::{Clock as _, Identity, Outcome, Rejection, SystemClock};
use serde_json::{Value, json};

use super::process::{BINARIES, soon, tool};
use super::tokens::ISSUER;
use super::{Connection, Gateway, on_both, token};

const KEYS: &str = "/.well-known/upstream-jwks.json";

fn config(assertion: &str) -> String {
    format!(
        "{ISSUER}\n[assertions]\nissuer = \"https://gate.example\"\n\
         [upstream.assertion]\naudience = \"orders\"\n{assertion}\n"
    )
}

/// The body of what everybody can read.
async fn published(client: &mut Connection) -> String {
    let answer = client.ask(&format!("GET {KEYS} HTTP/1.1\nHost: a\n\n")).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.text()
}

/// What an upstream with the public keys makes of a token.
fn read_by(audience: &str, keys: &str, token: &str) -> Result<Identity, Rejection> {
    let kind = TokenKind::Typ("upstream-assertion+jwt".into());
    let issuer = Issuer::new("https://gate.example", [audience], KeySet::from_jwks(keys).unwrap()).token_kind(kind);
    let Outcome::Done(verdict) = JwtVerifier::new([issuer]).unwrap().verify(token, SystemClock.now()) else {
        unreachable!("the keys are at hand")
    };
    verdict.map(|identity| (*identity).clone())
}

async fn echo(client: &mut Connection, more: &str) -> super::Answer {
    let answer = client.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\n{more}\n")).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer
}

fn bearer(claims: Value) -> String {
    format!("Authorization: Bearer {}\n", token(claims))
}

#[tokio::test]
async fn s12_the_upstream_can_check_who_the_caller_is() {
    on_both(&config(""), async |gateway| {
        let mut client = gateway.connect().await;
        let keys = published(&mut client).await;
        let answer = echo(&mut client, &bearer(json!({"sub": "Zoë", "tenant": "acme", "jti": "t-1"}))).await;
        let [assertion] = &*answer.echoed("x-auth-assertion") else { panic!("{answer:?}") };
        let caller = read_by("orders", &keys, assertion).unwrap();
        assert_eq!((&*caller.subject, caller.tenant.as_deref()), ("Zoë", Some("acme")));
        assert_eq!(caller.permissions.iter().collect::<Vec<_>>(), ["read", "write"]);
        let said: Value = serde_json::from_str(caller.claims.as_json()).unwrap();
        assert_eq!((&said["method"], &said["credential_id"]), (&json!("jwt"), &json!("t-1")));
        assert_eq!(said["sub_id"]["iss"], "https://idp.example");

        // it is for one upstream, and no access token anywhere: not here, and not where only the kind is another
        assert!(read_by("invoices", &keys, assertion).is_err());
        let refused = client.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {assertion}\n\n")).await;
        assert_eq!(refused.status(), 401);
        let issuer = Issuer::new("https://gate.example", ["orders"], KeySet::from_jwks(&keys).unwrap());
        let Outcome::Done(verdict) = JwtVerifier::new([issuer]).unwrap().verify(assertion, SystemClock.now()) else {
            unreachable!("the keys are at hand")
        };
        assert!(verdict.is_err());
        assert!(read_by("orders", &keys, &token(json!({}))).is_err());
    })
    .await;
}

#[tokio::test]
async fn s12_nobody_but_the_gateway_sends_an_assertion() {
    on_both(&config("header = \"X-Auth-Signed\""), async |gateway| {
        let mut client = gateway.connect().await;
        let forged: String = ["x-auth-signed", "X_Auth_Signed", "x.auth.signed", "x--auth-signed", "_x_auth_signed"]
            .map(|name| format!("{name}: forged\n"))
            .concat();
        let answer = echo(&mut client, &format!("{}{forged}", bearer(json!({})))).await;
        assert_eq!(answer.echoed("x-auth-signed").len(), 1);
        assert!(!answer.text().contains("forged"), "{}", answer.text());
        let open = client.ask(&format!("GET /public/x HTTP/1.1\nHost: a\n{forged}\n")).await;
        assert_eq!(open.status(), 200);
        assert!(!open.text().contains("signed"), "nobody in particular has none: {}", open.text());
    })
    .await;
}

#[tokio::test]
async fn k11_assertions_of_a_replaced_key_can_still_be_checked() {
    for binary in BINARIES {
        let gateway = Gateway::start(binary, &config("")).await;
        let dir = gateway.dir.path();
        let mode = dir.join("data/upstream-keys.json").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut client = gateway.connect().await;
        let before = published(&mut client).await;
        let old = echo(&mut client, &bearer(json!({}))).await.echoed("x-auth-assertion").concat();
        let rotated = tool(binary, dir, &["signing-keys", "rotate", "--assertions"]).output().unwrap();
        assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
        let after = soon("the new key", async {
            loop {
                let keys = published(&mut client).await;
                if keys != before {
                    return keys;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        let new = echo(&mut client, &bearer(json!({}))).await.echoed("x-auth-assertion").concat();
        assert!(read_by("orders", &after, &old).is_ok() && read_by("orders", &after, &new).is_ok());
        assert!(read_by("orders", &before, &new).is_err(), "another key signs");
    }
}
