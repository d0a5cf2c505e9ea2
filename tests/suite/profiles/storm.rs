//! Many at once with what is good once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::forge;
use super::perform::Stage;
use super::story::{Changes, Forgery, Signer};
use crate::corpus::folder;
use crate::gateway::{Answer, BINARIES, profile_tool, soon};

impl Stage {
    /// Posts JSON.
    pub(super) async fn post(&self, path: &str, content: &Value) -> Answer {
        self.exchange(&posted(&self.gateway.address.to_string(), path, None, content)).await
    }

    /// Asks with an access token or a key as `Bearer`.
    pub(super) async fn fetch(&self, path: &str, bearer: &str) -> Answer {
        let host = self.gateway.address;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {bearer}\r\n\r\n");
        self.exchange(request.as_bytes()).await
    }

    /// A member of a user of the demo.
    pub(super) fn user(&self, index: usize, member: &str) -> &str {
        self.demo["users"][index][member].as_str().unwrap()
    }
}

/// A request with JSON.
pub(super) fn posted(host: &str, path: &str, bearer: Option<&str>, content: &Value) -> Vec<u8> {
    let content = content.to_string();
    let bearer = bearer.map(|bearer| format!("authorization: Bearer {bearer}\r\n")).unwrap_or_default();
    let length = content.len();
    let head = "content-type: application/json\r\ncontent-length";
    format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{bearer}{head}: {length}\r\n\r\n{content}").into_bytes()
}

#[tokio::test]
async fn a_hundred_refreshes_of_one_token_give_one_successor() {
    let grace = Changes { replace: vec![(r#"# grace = "10s""#.to_owned(), r#"grace = "4s""#.to_owned())] };
    for binary in BINARIES {
        let stage = Stage::start(binary, "marketing", Some(&grace)).await;
        let login = json!({"email": stage.user(0, "email"), "password": stage.user(0, "password")});
        let opened = stage.post("/v1/auth/login", &login).await.json();
        let first = json!({"refresh_token": opened["refresh_token"]});

        let answers = join_all((0..100).map(|_| stage.post("/v1/auth/refresh", &first))).await;
        let text = |answer: &Answer, member: &str| answer.json()[member].as_str().unwrap().to_owned();
        let statuses: BTreeSet<u16> = answers.iter().map(Answer::status).collect();
        assert_eq!(statuses, [200].into(), "{binary}");
        let successors: BTreeSet<String> = answers.iter().map(|answer| text(answer, "refresh_token")).collect();
        assert_eq!(successors.len(), 1, "{binary}: {successors:?}");
        for answer in &answers[..3] {
            assert_eq!(stage.fetch("/v1/campaigns", &text(answer, "access_token")).await.status(), 200, "{binary}");
        }

        // when the time for lost answers is over, whoever shows the spent token ends the session for everybody
        let refused = async {
            while stage.post("/v1/auth/refresh", &first).await.status() == 200 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        soon("the end of the grace", refused).await;
        let successor = json!({"refresh_token": successors.first()});
        assert_eq!(stage.post("/v1/auth/refresh", &successor).await.status(), 401, "{binary}");
        let last = text(&answers[0], "access_token");
        assert_eq!(stage.fetch("/v1/campaigns", &last).await.status(), 401, "{binary}");
    }
}

#[tokio::test]
async fn one_of_many_logs_in_with_one_assertion() {
    let word = Forgery {
        claims: json!({
            "iss": "https://partner.example", "sub": "demo-management-user", "aud": "alianza", "exp": "now+300", "jti": "1",
        })
        .as_object()
        .unwrap()
        .clone(),
        signed_by: Signer::Partner,
        ..Forgery::default()
    };
    for binary in BINARIES {
        let stage = Stage::start(binary, "alianza", None).await;
        let keys = folder("keys/ed25519.pub.pem").display().to_string();
        let arguments = ["trust", "add", "--issuer", "https://partner.example", "--every-tenant", "--keys", &keys];
        let output = profile_tool(binary, stage.gateway.dir.path(), &arguments, "alianza").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let login = json!({"token": forge::token(&stage.demo, &word)});
        let answers = join_all((0..50).map(|_| stage.post("/v2/authorize/jwt", &login))).await;
        let count = |status| answers.iter().filter(|answer| answer.status() == status).count();
        assert_eq!((count(200), count(401)), (1, 49), "{binary}: {answers:?}");
    }
}

#[tokio::test]
async fn one_of_many_logs_in_with_one_code() {
    for binary in BINARIES {
        let stage = Stage::start(binary, "marketing", None).await;
        let code = forge::code(stage.user(1, "totp_secret"), forge::now() / 30);
        let login = json!({"email": stage.user(1, "email"), "password": stage.user(1, "password"), "code": code});
        let answers = join_all((0..50).map(|_| stage.post("/v1/auth/login", &login))).await;
        let winners = answers.iter().filter(|answer| answer.status() == 200).count();
        assert_eq!(winners, 1, "{binary}: {answers:?}");
    }
}
