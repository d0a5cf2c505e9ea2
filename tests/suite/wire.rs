//! Requests and answers as they are on the wire, where a client library would tidy them up.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends these bytes on a fresh connection and reads until the server closes it.
pub(crate) async fn exchange(server: SocketAddr, request: &str) -> String {
    let mut connection = TcpStream::connect(server).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// A request without a body, after which the server closes.
pub(crate) fn request(method: &str, path: &str, credential: Option<&str>) -> String {
    let authorization = credential.map(|credential| format!("authorization: Bearer {credential}\r\n"));
    let authorization = authorization.unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{authorization}\r\n")
}

/// The status code of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// The value of the one field of that name.
pub(crate) fn field<'a>(answer: &'a str, name: &str) -> &'a str {
    let lines = answer.split("\r\n\r\n").next().unwrap_or_default().split("\r\n").skip(1);
    let values = lines.filter_map(|line| line.split_once(": ")).filter(|(field, _)| field.eq_ignore_ascii_case(name));
    let values: Vec<_> = values.map(|(_, value)| value).collect();
    assert_eq!(values.len(), 1, "{name} in {answer:?}");
    values[0]
}

/// What follows the head of an answer.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
}
