//! Single sign-on with a real OpenID provider, started by these tests (`tests/node/provider.mjs`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::perform::Stage;
use super::story::Changes;
use crate::corpus::folder;
use crate::gateway::{Answer, BINARIES, Connection, soon, tool};

const REDIRECT_URI: &str = "https://app.example/sso";
const SECRET: &str = "a secret/with+reserved=characters";

/// The line of the profile that is switched on.
const LINE: &str = r#"# sso = { issuer = "https://idp.example", client_id = "gateway", redirect_uris = ["https://app.example/sso"], state_optional = true, provision = { tenant = "partition-one", type = "END_USER" } }"#;

pub(crate) struct Provider {
    pub(crate) issuer: String,
    _process: Child,
    /// It goes on talking, and would end where nobody could hear it.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    pub(crate) async fn start(secret: Option<&str>) -> Self {
        Self::telling(secret, "id_token").await
    }

    /// One that tells of people in its ID tokens or in its userinfo.
    async fn telling(secret: Option<&str>, claims_in: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(folder("node/provider.mjs")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.env("CLAIMS_IN", claims_in);
        if let Some(secret) = secret {
            command.env("CLIENT_SECRET", secret);
        }
        let mut process = command.kill_on_drop(true).spawn().unwrap_or_else(|error| {
            panic!("node is needed for this test ({error}): apt-get install nodejs");
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = soon("the OpenID provider", lines.next_line()).await.unwrap();
        let issuer = first.expect("the provider did not start: npm ci --prefix tests/node");
        Self { issuer, _process: process, _output: lines }
    }

    /// Logs somebody in whom the gateway sent here, and answers the parameters that they are sent back with.
    async fn log_in(&self, authorization_url: &str, person: &str) -> BTreeMap<String, String> {
        let address: SocketAddr = self.issuer.strip_prefix("http://").unwrap().parse().unwrap();
        let mut target = format!("{authorization_url}&login_hint={person}");
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        for _ in 0..10 {
            let path = target.strip_prefix(&self.issuer).unwrap_or(&target).to_owned();
            let jar = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let mut connection = Connection::open(address).await;
            let request = format!("GET {path} HTTP/1.1\nhost: {address}\ncookie: {jar}\nconnection: close\n\n");
            let answer = connection.ask(&request).await;
            for (_, cookie) in answer.fields.iter().filter(|(name, _)| name == "set-cookie") {
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let location = answer.field("location").unwrap_or_else(|| panic!("{answer:?}")).to_owned();
            if let Some(query) = location.strip_prefix(&format!("{REDIRECT_URI}?")) {
                return form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            }
            target = location;
        }
        panic!("the provider sends people about: {target}");
    }
}

/// The profile with that provider, and whatever else is to be different.
async fn stage(binary: &'static str, issuer: &str, more: &[(&str, &str)]) -> Stage {
    let mut line = LINE.replace("# sso", "sso").replace("https://idp.example", issuer);
    for (from, to) in more {
        assert!(line.contains(from), "{from}");
        line = line.replace(from, to);
    }
    Stage::start(binary, "alianza", Some(&Changes { replace: vec![(LINE.to_owned(), line)] })).await
}

impl Stage {
    async fn begin(&self, query: &str) -> Answer {
        let host = self.gateway.address;
        self.exchange(format!("GET /v2/authorize/sso{query} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await
    }

    /// Where to send a person.
    async fn sent_to(&self) -> String {
        let begun = self.begin("").await;
        assert_eq!(begun.status(), 200, "{begun:?}");
        begun.json()["authorizationUrl"].as_str().unwrap().to_owned()
    }

    /// What the guide has clients do with the code.
    async fn redeem(&self, parameters: &[(&str, &str)]) -> Answer {
        let host = self.gateway.address;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = format!("POST /v2/authorize/sso?{query} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n");
        self.exchange(request.as_bytes()).await
    }

    async fn who(&self, login: &Answer) -> Value {
        assert_eq!(login.status(), 200, "{login:?}");
        let (host, token) = (self.gateway.address, login.json()["authToken"].as_str().unwrap().to_owned());
        let request = format!("GET /v2/authorize/userinfo HTTP/1.1\r\nhost: {host}\r\nx-auth-token: {token}\r\n\r\n");
        self.exchange(request.as_bytes()).await.json()
    }
}

#[tokio::test]
async fn people_of_a_provider_log_in_as_the_guide_says() {
    let provider = Provider::start(None).await;
    for binary in BINARIES {
        let stage = stage(binary, &provider.issuer, &[]).await;
        let begun = stage.begin("").await;
        assert_eq!(begun.field("cache-control"), Some("no-store"));
        let begun = begun.json();
        assert_eq!((&begun["enabled"], &begun["clientId"]), (&true.into(), &"gateway".into()));
        assert_eq!(begun["scopes"], serde_json::json!(["openid", "profile", "email"]));
        let sent_to = begun["authorizationUrl"].as_str().unwrap();
        assert!(sent_to.starts_with(&format!("{}/auth?", provider.issuer)), "{sent_to}");

        // the call of the guide: a code and where it was sent, nothing else
        let back = provider.log_in(sent_to, "grace").await;
        assert_eq!(back["state"], begun["state"].as_str().unwrap());
        let first = stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await;
        let who = stage.who(&first).await;
        assert_eq!((&who["userName"], &who["userType"]), (&"grace".into(), &"END_USER".into()));
        assert_eq!((&who["partitionId"], &who["partitionName"]), (&"partition-one".into(), &"Partition One".into()));

        // with state and issuer; the same person is the same user
        let back = provider.log_in(&stage.sent_to().await, "grace").await;
        let again = stage
            .redeem(&[
                ("code", &back["code"]),
                ("redirect_uri", REDIRECT_URI),
                ("state", &back["state"]),
                ("iss", &back["iss"]),
            ])
            .await;
        assert_eq!(stage.who(&again).await["userId"], who["userId"]);
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_attempt_and_address() {
    let provider = Provider::start(Some(SECRET)).await;
    for binary in BINARIES {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("sso-secret"), SECRET).unwrap();
        let mut line = LINE.replace("# sso", "sso").replace("https://idp.example", &provider.issuer);
        line = line.replace("state_optional = true, ", r#"client_secret = { file = "sso-secret" }, "#);
        let switched_on = Changes { replace: vec![(LINE.to_owned(), line)] };
        let stage = Stage::start_in(binary, "alianza", Some(&switched_on), dir).await;

        let back = provider.log_in(&stage.sent_to().await, "ada").await;
        let (code, of_attempt, iss) = (back["code"].as_str(), back["state"].as_str(), back["iss"].as_str());
        let good = [("code", code), ("redirect_uri", REDIRECT_URI), ("state", of_attempt), ("iss", iss)];
        let but = |name: &str, value: &'static str| {
            let change = |(known, given): (&'static str, &str)| {
                (known, if known == name { value.to_owned() } else { given.to_owned() })
            };
            good.map(change)
        };
        for (name, value) in [
            ("redirect_uri", "https://app.example/sso/"),
            ("redirect_uri", "https://app.example/SSO"),
            ("redirect_uri", "https://evil.example/"),
            ("state", "AAAA"),
            ("state", ""),
            ("iss", "https://evil.example"),
            ("iss", ""),
        ] {
            let changed = but(name, value);
            let changed: Vec<(&str, &str)> = changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let refused = stage.redeem(&changed).await;
            assert_eq!(refused.status(), 400, "{binary} {name}={value}: {refused:?}");
            assert_eq!(refused.json()["errorCode"], "BAD_REQUEST");
        }
        // none of that has used the code up; of many that show it, one gets on
        let answers = join_all((0..50).map(|_| stage.redeem(&good))).await;
        let count = |status| answers.iter().filter(|answer| answer.status() == status).count();
        assert_eq!((count(200), count(400)), (1, 49), "{binary}: {answers:?}");

        // a code of one attempt with the state of another: the provider sees that its challenge does not fit
        let back = provider.log_in(&stage.sent_to().await, "ada").await;
        let other = provider.log_in(&stage.sent_to().await, "mallory").await;
        let mixed =
            [("code", &*other["code"]), ("redirect_uri", REDIRECT_URI), ("state", &back["state"]), ("iss", iss)];
        let refused = stage.redeem(&mixed).await;
        assert_eq!(refused.status(), 401, "{binary}: {refused:?}");
        assert_eq!(refused.json()["errorCode"], "UNAUTHORIZED");
        let made_up = provider.log_in(&stage.sent_to().await, "ada").await;
        let made_up = [("code", "made-up"), ("redirect_uri", REDIRECT_URI), ("state", &made_up["state"]), ("iss", iss)];
        assert_eq!(stage.redeem(&made_up).await.status(), 401, "{binary}");
        assert_eq!(stage.begin("?redirect_uri=https%3A%2F%2Fevil.example%2F").await.status(), 400, "{binary}");
    }
}

#[tokio::test]
async fn nobody_is_taken_for_an_account_by_a_name_or_an_address() {
    let provider = Provider::start(None).await;
    for binary in BINARIES {
        let stage = stage(binary, &provider.issuer, &[]).await;
        // the provider has somebody of the same name and address as an account here
        let back = provider.log_in(&stage.sent_to().await, "demo-end-user").await;
        let refused = stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await;
        assert_eq!(refused.status(), 409, "{binary}: {refused:?}");
        assert_eq!(refused.json()["errorCode"], "CONFLICT");
        // an administrator knows that they are the same
        let link = ["users", "link", "demo-end-user", "--subject", "subject-of-demo-end-user"];
        let output = tool(binary, stage.gateway.dir.path(), &link).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let back = provider.log_in(&stage.sent_to().await, "demo-end-user").await;
        let login = stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await;
        assert_eq!(stage.who(&login).await["partitionId"], "partition-two", "{binary}");
    }
}

#[tokio::test]
async fn userinfo_is_asked_where_the_configuration_says_so() {
    let provider = Provider::telling(None, "userinfo").await;
    for binary in BINARIES {
        for (userinfo, name) in [("", "subject-of-grace"), ("userinfo = true, ", "grace")] {
            let asked = [("state_optional", &*format!("{userinfo}state_optional"))];
            let stage = stage(binary, &provider.issuer, &asked).await;
            let back = provider.log_in(&stage.sent_to().await, "grace").await;
            let login = stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await;
            assert_eq!(stage.who(&login).await["userName"], name, "{binary}");
            let shown = tool(binary, stage.gateway.dir.path(), &["users", "show", name]).output().unwrap();
            let shown = String::from_utf8(shown.stdout).unwrap();
            assert_eq!(shown.contains("grace@example.com"), !userinfo.is_empty(), "{binary}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_provider_inside_is_asked_only_where_its_network_is_named() {
    for binary in BINARIES {
        let inside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let issuer = format!("https://localhost:{}", inside.local_addr().unwrap().port());
        for (named, is_asked) in [("", false), (r#"private_networks = ["127.0.0.1/32"], "#, true)] {
            let more = [("state_optional", &*format!("{named}state_optional"))];
            let stage = stage(binary, &issuer, &more).await;
            // it is closed as soon as somebody has come: what is asked for is whether anybody comes
            let coming = async {
                loop {
                    match inside.accept() {
                        Ok(_) => break true,
                        Err(_) => tokio::task::yield_now().await,
                    }
                }
            };
            tokio::pin!(coming);
            let begun = stage.begin("");
            tokio::pin!(begun);
            let came = tokio::select! {
                came = &mut coming => {
                    assert_eq!(begun.await.status(), 503, "{binary}: it speaks no TLS");
                    came
                }
                refused = &mut begun => {
                    assert_eq!(refused.status(), 503, "{binary}: {refused:?}");
                    inside.accept().is_ok()
                }
            };
            assert_eq!(came, is_asked, "{binary} {named}");
        }
    }
}

#[tokio::test]
async fn an_unverified_address_is_refused_at_single_sign_on_too() {
    let provider = Provider::start(None).await;
    for binary in BINARIES {
        for (trust, statuses) in [("", [401, 401]), ("trust_verified_email = true, ", [200, 401])] {
            let mut line = LINE.replace("# sso", "sso").replace("https://idp.example", &provider.issuer);
            line = line.replace("state_optional", &format!("{trust}state_optional"));
            line.push_str("\nrequire_verified_email = true\nmessages = { url = \"http://127.0.0.1:9/\" }");
            let place = "[endpoints.show_sso]".to_owned();
            let verifying = format!("[endpoints.verify_email]\npath = \"/v2/verify\"\n\n{place}");
            let changes = Changes { replace: vec![(LINE.to_owned(), line), (place, verifying)] };
            let stage = Stage::start(binary, "alianza", Some(&changes)).await;
            for (person, status) in ["grace", "unverified-ada"].into_iter().zip(statuses) {
                let back = provider.log_in(&stage.sent_to().await, person).await;
                let answer = stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await;
                assert_eq!(answer.status(), status, "{binary} {trust} {person}: {answer:?}");
                if status == 401 {
                    assert_eq!(answer.json()["message"], "The address has to be verified first", "{binary}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_provisioning_only_those_who_are_linked_come_in() {
    let provider = Provider::start(None).await;
    for binary in BINARIES {
        let none = [(r#", provision = { tenant = "partition-one", type = "END_USER" }"#, "")];
        let stage = stage(binary, &provider.issuer, &none).await;
        let come = async |person: &str| {
            let back = provider.log_in(&stage.sent_to().await, person).await;
            stage.redeem(&[("code", &back["code"]), ("redirect_uri", REDIRECT_URI)]).await
        };
        let command = |arguments: &[&str]| {
            let output = tool(binary, stage.gateway.dir.path(), arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(come("demo-account-user").await.status(), 401, "{binary}");
        command(&["users", "link", "demo-account-user", "--subject", "subject-of-someone"]);
        let who = stage.who(&come("someone").await).await;
        assert_eq!((&who["userName"], &who["userType"]), (&"demo-account-user".into(), &"ACCOUNT_USER".into()));
        assert!(command(&["users", "links", "demo-account-user"]).contains("subject-of-someone"));
        command(&["users", "disable", "demo-account-user"]);
        assert_eq!(come("someone").await.status(), 401, "{binary}");
        command(&["users", "enable", "demo-account-user"]);
        let vouched = come("someone").await;
        assert_eq!(stage.who(&vouched).await["userName"], "demo-account-user");
        command(&["users", "unlink", "demo-account-user", "--subject", "subject-of-someone"]);
        soon("the end of the session", async {
            while stage.who(&vouched).await["userName"] == "demo-account-user" {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(come("someone").await.status(), 401, "{binary}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_fault_of_the_client() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for binary in BINARIES {
        let stage = stage(binary, &issuer, &[]).await;
        let refused = stage.begin("").await;
        assert_eq!(refused.status(), 503, "{binary}: {refused:?}");
        assert!(refused.field("retry-after").is_some());
        assert!(!refused.text().contains("127.0.0.1"), "{binary}: {refused:?}");
    }
}
