//! Servers that do what real ones do not, at both gateways: nobody passes, and nobody is told that their token is bad.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::{Answer, BINARIES, Connection, Gateway, token};

const GOOD: &str = r#"{"active":true,"sub":"ada","aud":"api","token_type":"Bearer","scope":"read"}"#;

/// What the server does with a token of that name, and what the log says of it.
const FAULTS: [(&str, &str); 17] = [
    ("status-500", "it answered with the status 500"),
    ("status-503", "it answered with the status 503"),
    ("status-429", "it answered with the status 429"),
    ("status-201", "it answered with the status 201"),
    ("status-401", "it refuses the credentials of this service (status 401)"),
    ("status-403", "it refuses the credentials of this service (status 403)"),
    ("redirected", "it answered with the status 302"),
    ("redirected-307", "it answered with the status 307"),
    ("half", "asking https://as.example what a token is good for"),
    ("nothing", "asking https://as.example what a token is good for"),
    ("no-http", "asking https://as.example what a token is good for"),
    ("silent", "it did not answer in time"),
    ("large", "its answer was too long"),
    ("text-true", "does not say by true or false"),
    ("twice", "its answer has a member twice"),
    ("html", "its answer is not said to be application/json"),
    ("cut", "its answer is not one JSON object"),
];

fn answer_of(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\nConnection: close\nContent-Length: {}\n{fields}\n{body}", body.len())
}

const JSON: &str = "Content-Type: application/json\n";

/// A server that is asked where nobody may ask as well, and answers there that everybody is good.
struct Server {
    address: String,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, targets) = (listener.local_addr().unwrap().to_string(), Arc::<Mutex<Vec<String>>>::default());
        let seen = Arc::clone(&targets);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Self { address, targets }
    }

    fn config(&self) -> String {
        format!(
            "[[introspection]]\nissuer = \"https://as.example\"\nurl = \"http://{}/introspect\"\naudience = \"api\"\n\
             client_id = \"rs\"\nclient_secret = {{ file = \"secret\" }}\n\
             [[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"introspected\"]\n\
             [[routes]]\npath = \"/v1/{{*rest}}\"\nneeds = \"read\"\n\
             [[routes]]\npath = \"/optional/{{*rest}}\"\naccess = \"optional\"\n",
            self.address
        )
    }
}

/// One request, and the end of the connection.
async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    let mut connection = Connection::new(stream);
    let request = connection.request().await;
    seen.lock().unwrap().push(request.line.clone());
    let form = request.text();
    let token = form.strip_prefix("token=").and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let answer = match token {
        "redirected" => answer_of("302 Found", "Location: /elsewhere\n", GOOD),
        "redirected-307" => answer_of("307 Temporary Redirect", "Location: /elsewhere\n", GOOD),
        "half" => answer_of("200 OK", JSON, GOOD).replace(&GOOD[GOOD.len() / 2..], ""),
        "nothing" => String::new(),
        "no-http" => GOOD.to_owned(),
        "silent" => {
            // until the other side gives up
            connection.rest().await;
            return;
        }
        "large" => answer_of("200 OK", JSON, &GOOD.replace("ada", &"a".repeat(1024 * 1024))),
        "text-true" => answer_of("200 OK", JSON, &GOOD.replace("true", "\"true\"")),
        "twice" => answer_of("200 OK", JSON, &GOOD.replace('{', "{\"active\":true,")),
        "html" => answer_of("200 OK", "Content-Type: text/html\n", GOOD),
        "cut" => answer_of("200 OK", JSON, &GOOD[..GOOD.len() - 1]),
        token => match token.strip_prefix("status-") {
            Some(status) => answer_of(&format!("{status} Whatever"), JSON, GOOD),
            None => answer_of("200 OK", JSON, GOOD),
        },
    };
    // a gateway that has read enough may be gone
    let _ = tokio::io::AsyncWriteExt::write_all(&mut connection.stream, answer.replace('\n', "\r\n").as_bytes()).await;
}

async fn ask(gateway: &Gateway, path: &str, token: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\nHost: a\nAuthorization: Bearer {token}\n\n");
    gateway.connect().await.ask(&request).await
}

#[tokio::test]
async fn t38_whatever_goes_wrong_at_the_server_is_503_for_everybody_and_named_in_the_log() {
    let server = Server::start().await;
    for binary in BINARIES {
        let mut gateway = Gateway::start(binary, &server.config()).await;
        assert_eq!(ask(&gateway, "/v1/x", "good").await.status(), 200, "{binary}");
        for (token, cause) in FAULTS {
            let refused = ask(&gateway, "/v1/x", token).await;
            assert_eq!(refused.status(), 503, "{binary} {token}: {refused:?}");
            assert_eq!(refused.field("retry-after"), Some("5"), "{binary} {token}");
            assert!(refused.field("www-authenticate").is_none(), "{binary} {token}: {refused:?}");
            let told = format!("{refused:?}");
            assert!(!told.contains(&server.address) && !told.contains("as.example"), "{binary} {token}: {told}");
            let line = gateway.logs(cause).await;
            assert!(!line.contains(&format!("Bearer {token}")) && !line.contains(&format!("token={token}")), "{line}");
        }
        // no way around it where nobody needs a credential
        assert_eq!(ask(&gateway, "/optional/x", "status-500").await.status(), 503, "{binary}");
        // and nothing of it stays
        assert_eq!(ask(&gateway, "/v1/x", "good").await.status(), 200, "{binary}");
    }
    let targets = server.targets.lock().unwrap();
    assert!(targets.iter().all(|line| line == "POST /introspect HTTP/1.1"), "{targets:?}");
}

#[tokio::test]
async fn what_a_gateway_recognises_itself_is_never_asked_about() {
    for binary in BINARIES {
        let server = Server::start().await;
        let config = server.config().replace("[\"introspected\"]", "[\"introspected\", \"jwt\"]");
        let issuer =
            "[[issuers]]\nissuer = \"https://idp.example\"\naudience = \"api\"\nsecret = { file = \"secret\" }\n";
        let gateway = Gateway::start(binary, &format!("{config}{issuer}")).await;
        let good = token(serde_json::json!({}));
        assert_eq!(ask(&gateway, "/v1/x", &good).await.status(), 200, "{binary}");
        let ended = token(serde_json::json!({ "exp": 1 }));
        for bad in [&ended, &format!("{good}x"), "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(ask(&gateway, "/v1/x", bad).await.status(), 401, "{binary} {bad}");
        }
        assert!(server.targets.lock().unwrap().is_empty(), "{binary}");
        assert_eq!(ask(&gateway, "/v1/x", "opaque").await.status(), 200, "{binary}");
    }
}

#[tokio::test]
async fn two_hundred_requests_over_sockets_are_one_question() {
    for binary in BINARIES {
        let server = Server::start().await;
        let gateway = Gateway::start(binary, &server.config()).await;
        let answers = join_all((0..200).map(|_| ask(&gateway, "/v1/x", "good"))).await;
        assert!(answers.iter().all(|answer| answer.status() == 200), "{binary}: {answers:?}");
        assert_eq!(server.targets.lock().unwrap().len(), 1, "{binary}");
    }
}

/// Many clients hang up while their requests wait, whichever thread they were on.
#[tokio::test]
async fn clients_that_hang_up_leave_the_others_their_answer() {
    for binary in BINARIES {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server { address: listener.local_addr().unwrap().to_string(), targets: Arc::default() };
        let gateway = Gateway::start(binary, &server.config()).await;
        for round in 0..5 {
            let request = format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer token-{round}\n\n");
            let mut first = gateway.connect().await;
            first.say(&request).await;
            let mut question = Connection::new(listener.accept().await.unwrap().0);
            question.request().await;
            let mut others = Vec::new();
            for _ in 0..20 {
                let mut other = gateway.connect().await;
                other.say(&request).await;
                others.push(other);
            }
            drop(first);
            drop(others.drain(..10));
            question.say(&answer_of("200 OK", JSON, GOOD)).await;
            // if the question went with the first, another one is asked
            let asked_again = async {
                while let Ok((stream, _)) = listener.accept().await {
                    serve(stream, Arc::default()).await;
                }
            };
            let answered = join_all(others.iter_mut().map(|other| other.answer_to("GET")));
            let answers = tokio::select! {
                answers = answered => answers,
                () = asked_again => unreachable!("the listener stays"),
            };
            assert!(answers.iter().all(|answer| answer.status() == 200), "{binary}: {answers:?}");
        }
    }
}
