//! What a reload must not forget: attempts that are under way.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::gateway::{BINARIES, Connection, Gateway};

/// Somebody asks what a token is good for, and waits for the answer.
async fn asked(listener: &TcpListener) -> Connection {
    let (stream, _) = listener.accept().await.unwrap();
    let mut connection = Connection::new(stream);
    connection.request().await;
    connection
}

async fn say_nothing_good(mut connection: Connection) {
    let body = r#"{"active":false}"#;
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    connection.stream.write_all(answer.as_bytes()).await.unwrap();
}

async fn attempt(gateway: &Gateway, token: &'static str) -> JoinHandle<u16> {
    let mut client = gateway.connect().await;
    let request = format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {token}\n\n");
    tokio::spawn(async move { client.ask(&request).await.status() })
}

/// One failure is allowed, and one attempt of the trickle. A slow attempt of before the reload takes the room for the first, so
/// that the next one has the trickle, and the one after that nothing.
#[tokio::test]
async fn l23_attempts_under_way_count_on_when_a_gateway_reads_its_file_again() {
    for binary in BINARIES {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = format!(
            "[[introspection]]\nissuer = \"https://as.example\"\nurl = \"http://{}/introspect\"\naudience = \"api\"\n\
             client_id = \"rs\"\nclient_secret = {{ file = \"secret\" }}\n\
             [limits]\nfailed_attempts = {{ quota = \"1/hour\", trickle = \"1/hour\", clients = \"direct\" }}\n\
             [[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"introspected\"]\n\
             [[routes]]\npath = \"/v1/{{*rest}}\"\naccess = \"authenticated\"\n\
             [[routes]]\npath = \"/open\"\naccess = \"public\"\n",
            server.local_addr().unwrap()
        );
        let mut gateway = Gateway::start(binary, &config).await;
        let first = attempt(&gateway, "guess-1").await;
        let slow = asked(&server).await;
        gateway.configure(&format!("{config}[errors]\nshape = \"flat\"\n"));
        gateway.hang_up();
        gateway.logs("the new configuration is in force").await;
        let second = attempt(&gateway, "guess-2").await;
        // the second one is most likely there by then
        gateway.connect().await.ask("GET /open HTTP/1.1\nHost: a\n\n").await;
        say_nothing_good(slow).await;
        assert_eq!(first.await.unwrap(), 401, "{binary}");
        say_nothing_good(asked(&server).await).await;
        assert_eq!(second.await.unwrap(), 401, "{binary}");
        let third = attempt(&gateway, "guess-3").await;
        let status = tokio::select! {
            status = third => status.unwrap(),
            _ = asked(&server) => panic!("{binary}: a third guess was looked at"),
        };
        assert_eq!(status, 429, "{binary}");
    }
}
