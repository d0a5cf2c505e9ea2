//! TLS on both sides, certificates that are renewed, and HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::process::{BINARIES, soon};
use super::tokens::ISSUER;
use super::{Connection, Gateway, token};

const TLS: &str = "\n[tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n";

/// A server with the pair that `renew` left in the directory; it answers one request on each connection.
async fn encrypted_upstream(dir: &std::path::Path) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(dir.join("cert.pem")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let body = String::from_utf8(head).unwrap();
            let answer =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn an_encrypted_upstream_has_to_prove_its_name() {
    for binary in BINARIES {
        let upstream = tempfile::tempdir().unwrap();
        renew_for(&upstream, "localhost");
        let address = encrypted_upstream(upstream.path()).await;
        let stranger = tempfile::tempdir().unwrap();
        renew_for(&stranger, "localhost");
        let authority = upstream.path().join("cert.pem");
        let other = stranger.path().join("cert.pem");
        let (named, unnamed) = (format!("localhost:{}", address.port()), address.to_string());
        for (host, trusted, status) in [(&named, &authority, 200), (&named, &other, 502), (&unnamed, &authority, 502)] {
            let config = format!("{ISSUER}\n[upstream]\nurl = \"https://{host}/base\"\nca_file = {trusted:?}\n");
            let gateway = Gateway::start_in(binary, &config, tempfile::tempdir().unwrap()).await;
            let answer = gateway.connect().await.ask("GET /public/x?y HTTP/1.1\nHost: api.example\n\n").await;
            assert_eq!(answer.status(), status, "{binary} {host}: {answer:?}");
            if status == 200 {
                assert!(answer.text().starts_with("GET /base/public/x?y HTTP/1.1\r\n"), "{}", answer.text());
                assert!(answer.text().contains(&format!("host: {named}\r\n")), "{}", answer.text());
            }
        }
    }
}

/// Makes a certificate, puts it and its key where the gateway looks, and answers it.
fn renew(dir: &TempDir) -> CertificateDer<'static> {
    renew_for(dir, "gateway.example")
}

fn renew_for(dir: &TempDir, name: &str) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    // the key first: in between the two do not belong together, and the gateway must not mind
    std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("gateway.example").unwrap(), stream).await
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_open_connections_stay() {
    for binary in BINARIES {
        let dir = tempfile::tempdir().unwrap();
        let first = renew(&dir);
        let mut gateway = Gateway::start_in(binary, &format!("{ISSUER}{TLS}"), dir).await;
        assert_eq!(gateway.scheme, "https");
        let mut early = Connection::new(soon("TLS", connect(gateway.address, &first, "http/1.1")).await.unwrap());
        let request = "GET /public/x HTTP/1.1\nHost: gateway.example\n\n";
        let answer = early.ask(request).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.echoed("x-forwarded-proto"), ["https"]);

        std::fs::write(gateway.dir.path().join("cert.pem"), "half a certific").unwrap();
        gateway.logs("not taken up").await;
        assert!(connect(gateway.address, &first, "http/1.1").await.is_ok(), "{binary}: the old one stays");
        let second = renew(&gateway.dir);
        gateway.logs("certificate reloaded").await;
        assert!(connect(gateway.address, &first, "http/1.1").await.is_err());
        let mut late = Connection::new(connect(gateway.address, &second, "http/1.1").await.unwrap());
        assert_eq!(late.ask(request).await.status(), 200);
        assert_eq!(early.ask(request).await.status(), 200, "{binary}: an open connection outlives its certificate");
    }
}

#[tokio::test]
async fn http_2_goes_the_same_way() {
    for binary in BINARIES {
        let dir = tempfile::tempdir().unwrap();
        let certificate = renew(&dir);
        let gateway = Gateway::start_in(binary, &format!("{ISSUER}{TLS}"), dir).await;
        let stream = soon("TLS", connect(gateway.address, &certificate, "h2")).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);

        let bearer = token(json!({}));
        let request = Request::post("https://gateway.example/v1/x?a=b")
            .version(Version::HTTP_2)
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("x_auth_subject", "admin")
            .header("authorization", format!("Bearer {bearer}"))
            .body(Full::new(Bytes::from_static(b"hello")))
            .unwrap();
        let answer = soon("the answer", client.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), 200);
        let echo: serde_json::Value =
            serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!((&echo["path"], &echo["query"], &echo["body"]), (&"/v1/x".into(), &"a=b".into(), &"hello".into()));
        assert_eq!(echo["headers"]["cookie"], json!(["a=1; b=2"]));
        assert_eq!(echo["headers"]["x-auth-subject"], json!(["user-1"]));
        assert_eq!(echo["headers"]["x-forwarded-host"], json!(["gateway.example"]));
        assert_eq!(echo["headers"]["x_auth_subject"], json!(null));

        let send = async |client: &mut hyper::client::conn::http2::SendRequest<Full<Bytes>>, request| {
            soon("the answer", client.send_request(request)).await.unwrap().status().as_u16()
        };
        let bare = |path: &str| Request::get(format!("https://gateway.example{path}")).version(Version::HTTP_2);
        let open = bare("/public/x").body(Full::default()).unwrap();
        assert_eq!(send(&mut client, open).await, 200);
        let refused = bare("/v1/x").body(Full::default()).unwrap();
        assert_eq!(send(&mut client, refused).await, 401);
        let two_hosts = bare("/public/x").header("host", "other.example").body(Full::default()).unwrap();
        assert_eq!(send(&mut client, two_hosts).await, 400);
    }
}
