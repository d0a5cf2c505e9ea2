//! What reaches an upstream that is to check who the caller is, and what does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
use std::path::Path;

use auth_core::credential::Source;
use auth_core::gate::{Caller, Decision};
use auth_core::issue::SigningError;
use auth_core::policy::{Policy, authenticated};
use auth_core::verify::Verifier;
use auth_core::{Identity, Now, Outcome, RequestHead, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::body::whole;
use crate::config;
use crate::forward::Sign;

const CONFIG: &str = r#"
[server]
trusted_proxies = ["192.0.2.1/32"]
[upstream]
url = "http://UPSTREAM"
[tokens]
issuer = "a"
audience = "a"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
[forward_auth]
path = "/forward-auth"
"#;

/// Knows everybody.
struct Anybody;

impl Verifier for Anybody {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, _: &str, _: Now) -> Outcome<Result<Arc<Identity>, Rejection>> {
        Outcome::Done(Ok(Arc::new(Identity::new(auth_core::Method::Jwt, "issuer", "ada"))))
    }
}

/// What a system is like that gives no random bytes: it signs nothing.
#[derive(Debug)]
struct Mute;

impl Sign for Mute {
    fn sign(&self, _: &Identity, _: Now) -> Result<Secret, SigningError> {
        Err(SigningError::Random)
    }
}

fn gateway(upstream: &str, vouching: Option<Vouching>) -> Gateway {
    let config = config::load(&CONFIG.replace("UPSTREAM", upstream), "gateway.toml", Path::new("")).unwrap();
    let policy = Policy::new().get("/v1/x", authenticated());
    let gate = Gate::builder()
        .accept(Source::bearer(), Anybody)
        .policy(policy)
        .trusted_proxies(config.server.trusted_proxies.clone())
        .build()
        .unwrap();
    let mut gateway = Gateway::new(&config, gate, Endpoints::default(), Arc::new(Health::default()), None);
    gateway.destination = Destination::new(&config.upstream, vouching);
    gateway
}

fn mute() -> Vouching {
    Vouching::by(http::HeaderName::from_static("x-auth-assertion"), Arc::new(Mute))
}

async fn ada(gateway: &Gateway) -> Principal {
    let fields = [("authorization", "Bearer x")];
    let decision = gateway.gate.decide(&RequestHead::new("GET", "/v1/x", &fields), gateway.gate.now());
    match decision.resolve().await {
        Decision::Admit(admission) => match admission.caller {
            Caller::Principal(principal) => principal,
            Caller::Anonymous(anonymous) => panic!("{anonymous:?}"),
        },
        Decision::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

#[tokio::test]
async fn s12_without_a_signature_the_upstream_gets_no_request() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    upstream.set_nonblocking(true).unwrap();
    let listening = TcpListener::from_std(upstream.try_clone().unwrap()).unwrap();
    let authority = upstream.local_addr().unwrap().to_string();
    let ask = async |vouching| {
        let gateway = gateway(&authority, vouching);
        let ada = ada(&gateway).await;
        let request = Request::get("/v1/x").header("host", "a").body(whole("")).unwrap();
        match gateway.answer(request, None, Scheme::Http, Some(Admitted::Principal(&ada))).await {
            Answer::Response(response) => response,
            Answer::Upgraded(..) => panic!("nobody has asked for that"),
        }
    };
    let refused = ask(Some(mute())).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER), "{refused:?}");
    assert!(matches!(refused.extensions().get(), Some(Rejection::Unavailable(_))));
    assert!(upstream.accept().is_err(), "nothing has come");
    // it is the signature alone: where none is asked for, the request comes
    let answering = async {
        let (mut stream, _) = listening.accept().await.unwrap();
        let mut head = [0; 4096];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    };
    let (passed_on, ()) = tokio::join!(ask(None), answering);
    assert_eq!(passed_on.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s12_without_a_signature_no_other_proxy_passes_anything_on() {
    let ask = async |vouching| {
        let request = Request::get("/forward-auth")
            .header("authorization", "Bearer x")
            .header("x-original-method", "GET")
            .header("x-original-uri", "/v1/x")
            .header("x-forwarded-for", "198.51.100.7");
        let parts = request.body(()).unwrap().into_parts().0;
        let gateway = gateway("127.0.0.1:9", vouching);
        gateway.forward_auth(&parts, Some(IpAddr::from([192, 0, 2, 1]))).await.unwrap()
    };
    assert_eq!(ask(None).await.status(), StatusCode::NO_CONTENT);
    let refused = ask(Some(mute())).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    // nginx throws the body away, so that it stands in a field as well
    assert!(refused.headers().contains_key("x-auth-refusal"), "{refused:?}");
    assert!(!refused.headers().contains_key("x-auth-subject"), "{refused:?}");
}
