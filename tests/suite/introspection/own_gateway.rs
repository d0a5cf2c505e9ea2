//! One gateway asks another, which issued the tokens.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::gateway::{Answer, BINARIES, Connection, Gateway, tool};

const ISSUER: &str = r#"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt", "opaque"]
[tokens]
issuer = "https://issuer.example"
audience = "api"
algorithm = "ES256"
lifetime = "10m"
[opaque_tokens]
prefix = "at"
[clients]
introspect = "ask"
[revocations]
[endpoints.token]
path = "/token"
[endpoints.revoke_token]
path = "/revoke"
[endpoints.introspect_token]
path = "/introspect"
[[routes]]
path = "/v1/{*rest}"
needs = "read"
"#;

/// A server for the tokens of clients, which are signed and nobody here can verify, and one for those that begin with `at_`.
fn asking(issuer: &Gateway) -> String {
    let server = |more: &str| {
        format!(
            "[[introspection]]\nissuer = \"https://issuer.example\"\nurl = \"http://{}/introspect\"\nclient_id = \"rs\"\n\
             client_secret = {{ file = \"rs-secret\" }}\nbelieved_for = \"0s\"\n{more}\n",
            issuer.address
        )
    };
    format!(
        "{}{}[[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"introspected\"]\n\
         [[routes]]\npath = \"/v1/{{*rest}}\"\nmethods = [\"GET\"]\nneeds = \"read\"\n\
         [[routes]]\npath = \"/v1/{{*rest}}\"\nneeds = \"write\"\n",
        server("audience = \"api\""),
        server("prefix = \"at_\"\ndanger_accept_any_audience = true")
    )
}

fn printed(binary: &'static str, dir: &Path, words: &[&str]) -> Vec<String> {
    let output = tool(binary, dir, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn post(gateway: &Gateway, path: &str, (id, secret): (&str, &str), content: &str) -> Answer {
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let request = format!(
        "POST {path} HTTP/1.1\nHost: a\nAuthorization: Basic {basic}\nContent-Length: {}\n\
         Content-Type: application/x-www-form-urlencoded\n\n{content}",
        content.len()
    );
    gateway.connect().await.ask(&request).await
}

async fn status(client: &mut Connection, method: &str, token: &str) -> u16 {
    let length = if method == "POST" { "Content-Length: 0\n" } else { "" };
    let request = format!("{method} /v1/x HTTP/1.1\nHost: a\n{length}Authorization: Bearer {token}\n\n");
    client.ask(&request).await.status()
}

#[tokio::test]
async fn t37_a_gateway_asks_another_what_its_tokens_are_good_for() {
    for binary in BINARIES {
        let issuer = Gateway::start(binary, ISSUER).await;
        let dir = issuer.dir.path();
        let create = ["clients", "create", "--name", "a", "--id"];
        let server = printed(binary, dir, &[&create[..], &["rs", "--permission", "ask"]].concat());
        let app = printed(binary, dir, &[&create[..], &["app", "--permission", "read"]].concat());
        let minted = printed(binary, dir, &["tokens", "create", "--subject", "ada", "--permission", "read,write"]);
        let opaque = minted[0].as_str();

        let own = tempfile::tempdir().unwrap();
        std::fs::write(own.path().join("rs-secret"), &server[1]).unwrap();
        let gateway = Gateway::start_in(binary, &asking(&issuer), own).await;
        let mut client = gateway.connect().await;
        let app = ("app", app[1].as_str());
        let given = post(&issuer, "/token", app, "grant_type=client_credentials").await;
        assert_eq!(given.status(), 200, "{given:?}");
        let given = given.json()["access_token"].as_str().unwrap().to_owned();

        for (token, may_write) in [(given.as_str(), 403), (opaque, 200)] {
            assert_eq!(status(&mut client, "GET", token).await, 200, "{binary}: {token}");
            assert_eq!(status(&mut client, "POST", token).await, may_write, "{binary}: {token}");
        }
        let other = if opaque.ends_with('0') { '1' } else { '0' };
        let typo = format!("{}{other}", &opaque[..opaque.len() - 1]);
        assert_eq!(status(&mut client, "GET", &typo).await, 401, "{binary}");
        assert_eq!(status(&mut client, "GET", "unknown").await, 401, "{binary}");

        let revoked = post(&issuer, "/revoke", app, &format!("token={given}")).await;
        assert_eq!(revoked.status(), 200, "{revoked:?}");
        assert_eq!(status(&mut client, "GET", &given).await, 401, "{binary}");
        assert_eq!(status(&mut client, "GET", opaque).await, 200, "{binary}");

        // what it says of an opaque token of its own is about an access token
        let told = post(&issuer, "/introspect", ("rs", &server[1]), &format!("token={opaque}")).await.json();
        assert_eq!((&told["token_type"], &told["scope"]), (&"Bearer".into(), &"read write".into()), "{told}");

        let mut issuer = issuer;
        issuer.terminate();
        issuer.ends().await;
        assert_eq!(status(&mut client, "GET", opaque).await, 503, "{binary}: nobody is there to be asked");
    }
}

/// Whoever is remembered needs nobody to be asked.
#[tokio::test]
async fn as_many_answers_are_remembered_as_the_file_says() {
    for binary in BINARIES {
        let mut issuer = Gateway::start(binary, ISSUER).await;
        let dir = issuer.dir.path();
        let server =
            printed(binary, dir, &["clients", "create", "--name", "a", "--id", "rs", "--permission", "ask"]).remove(1);
        let tokens = ["ada", "bob"].map(|subject| {
            printed(binary, dir, &["tokens", "create", "--subject", subject, "--permission", "read"]).remove(0)
        });
        let believing = asking(&issuer).replace("\"0s\"", "\"5m\"");
        let mut gateways = Vec::new();
        for (remembered, expected) in [("", [200, 200]), ("entries = 1", [200, 503]), ("size = \"1KiB\"", [200, 503])] {
            let own = tempfile::tempdir().unwrap();
            std::fs::write(own.path().join("rs-secret"), &server).unwrap();
            let gateway = Gateway::start_in(binary, &format!("[remembered]\n{remembered}\n{believing}"), own).await;
            let mut client = gateway.connect().await;
            for token in &tokens {
                assert_eq!(status(&mut client, "GET", token).await, 200, "{binary}: {remembered}");
            }
            gateways.push((gateway, client, remembered, expected));
        }
        issuer.terminate();
        issuer.ends().await;
        for (_gateway, mut client, remembered, expected) in gateways {
            let mut answers = Vec::new();
            for token in &tokens {
                answers.push(status(&mut client, "GET", token).await);
            }
            // either of them may be the one that is forgotten
            answers.sort_unstable();
            assert_eq!(answers, expected, "{binary}: {remembered}");
        }
    }
}
