//! `WebSocket` connections without a second proxy: actix leaves the connection's bytes in the payload and takes them from the body.

use std::io;

use actix_web::HttpResponse;
use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream;
use gateway::tunnel;
use http::Response;
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};

use crate::convert::{copy_fields, status};

/// How much is on its way in either direction at most.
const PIECE: usize = 16 * 1024;

/// The response that makes the client's connection a tunnel to the upstream.
pub(crate) fn response(head: &Response<()>, upstream: OnUpgrade, client: Payload) -> HttpResponse {
    let (near, far) = tokio::io::duplex(PIECE);
    actix_web::rt::spawn(tunnel::carry(far, upstream));
    let (to_client, from_client) = tokio::io::split(near);
    actix_web::rt::spawn(pour(client, from_client));
    let body = stream::unfold(to_client, draw);
    let mut response = HttpResponse::build(status(head.status())).upgrade("websocket").streaming(body);
    let websocket = response.headers().get(actix_web::http::header::UPGRADE).cloned();
    copy_fields(head.headers(), &mut response);
    if let Some(websocket) = websocket {
        response.headers_mut().insert(actix_web::http::header::UPGRADE, websocket);
    }
    response
}

/// From the client to the upstream, until either is done.
async fn pour(mut client: Payload, mut upstream: WriteHalf<DuplexStream>) {
    while let Some(Ok(bytes)) = client.next().await {
        if upstream.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = upstream.shutdown().await;
}

/// From the upstream to the client, until the upstream is done.
async fn draw(mut upstream: ReadHalf<DuplexStream>) -> Option<(io::Result<Bytes>, ReadHalf<DuplexStream>)> {
    let mut piece = BytesMut::with_capacity(PIECE);
    match upstream.read_buf(&mut piece).await {
        Ok(0) => None,
        Ok(_) => Some((Ok(piece.freeze()), upstream)),
        Err(error) => Some((Err(error), upstream)),
    }
}
