//! What HTTP/1 refuses is refused over HTTP/2 too, by both gateways alike.

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::process::soon;
use super::tokens::ISSUER;
use super::{Gateway, on_both};

async fn connect(gateway: &Gateway) -> SendRequest<Full<Bytes>> {
    let stream = soon("connecting", TcpStream::connect(gateway.address)).await.unwrap();
    let (client, connection) = soon("HTTP/2", handshake(TokioExecutor::new(), TokioIo::new(stream))).await.unwrap();
    tokio::spawn(connection);
    client
}

fn post(url: &str) -> http::request::Builder {
    Request::post(url).version(Version::HTTP_2)
}

#[tokio::test]
async fn targets_and_lengths_with_two_readings_are_refused_over_http_2() {
    on_both(ISSUER, async |gateway| {
        let mut client = connect(&gateway).await;
        for (request, status, code) in [
            (post("http://a/public/x"), 200, None),
            (post("http://a:8080/public/x").header("content-length", "3"), 200, None),
            (post("http://u:p@a/public/x"), 400, Some("invalid_request")),
            (post("http://[zz]/public/x"), 400, Some("invalid_request")),
            (post("http://a%41/public/x"), 400, Some("invalid_request")),
            (post("foo://a/public/x"), 400, Some("invalid_request")),
            (post("http://a/public/x").header("host", "b"), 400, Some("invalid_request")),
            (
                post("http://a/public/x").header("content-length", "3").header("content-length", "3"),
                400,
                Some("invalid_request"),
            ),
        ] {
            // what no URI type lets through, no client sends
            let Ok(request) = request.body(Full::new(Bytes::from_static(b"abc"))) else { continue };
            let what = format!("{request:?}");
            let answer = soon("the answer", client.send_request(request)).await.unwrap();
            assert_eq!(answer.status(), status, "{what}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["code"].as_str(), code, "{what}: {body}");
        }
    })
    .await;
}
