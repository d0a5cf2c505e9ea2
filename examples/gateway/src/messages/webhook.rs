//! One receiver of messages, and one post to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::Timestamp;
use auth_core::issue::{Message, MessageKind, Messenger};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::backoff::retry_after;
use super::outbox::Outbox;
use crate::config::{Messages, WebhookSecret};

/// The most that is read of an answer: its head. Nobody looks at the body.
const LONGEST_HEAD: usize = 64 * 1024;

/// One receiver of messages.
pub(crate) struct Webhook {
    url: Uri,
    key: hmac::Key,
    sender: Sender,
    timeout: Duration,
    pub(super) attempts: usize,
    pub(super) pause: Duration,
}

enum Sender {
    Http(Client<HttpConnector, Full<Bytes>>),
    Https(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Delivered,
    /// It may work later; not before that, where the receiver says so.
    Failed(String, Option<Duration>),
    /// It will not.
    Refused(String),
}

/// Puts messages for one receiver into the outbox.
#[derive(Debug)]
pub(crate) struct WebhookMessenger {
    pub(crate) to: Arc<Webhook>,
    pub(crate) outbox: Outbox,
}

impl Messenger for WebhookMessenger {
    fn send(&self, message: Message) {
        self.outbox.put(Arc::clone(&self.to), message);
    }
}

impl Webhook {
    pub(crate) fn new(settings: &Messages, secret: &WebhookSecret) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        // there is seldom a next message by the time a receiver closes an idle connection
        builder.pool_max_idle_per_host(0).http1_max_buf_size(LONGEST_HEAD);
        let sender = match &settings.tls {
            None => Sender::Http(builder.build(connector)),
            Some(tls) => {
                connector.enforce_http(false);
                let https = HttpsConnectorBuilder::new().with_tls_config((**tls).clone()).https_only().enable_http1();
                Sender::Https(builder.build(https.wrap_connector(connector)))
            }
        };
        Self {
            url: settings.url.0.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.0.expose()),
            sender,
            timeout: settings.timeout,
            attempts: settings.attempts,
            pause: settings.pause,
        }
    }

    /// Posts a message once. Redirections are not followed: what is posted is meant for this receiver alone.
    pub(super) async fn post(&self, id: &str, body: &Bytes, now: Timestamp) -> Attempt {
        let seconds = now.unix_seconds().to_string();
        let request = Request::post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "gateway")
            .header("webhook-id", id)
            .header("webhook-timestamp", &seconds)
            .header("webhook-signature", self.signature(id, &seconds, body))
            .body(Full::new(body.clone()));
        let Ok(request) = request else { return Attempt::Refused("it cannot be posted".to_owned()) };
        let sent = async {
            match &self.sender {
                Sender::Http(client) => client.request(request).await,
                Sender::Https(client) => client.request(request).await,
            }
        };
        match tokio::time::timeout(self.timeout, sent).await {
            Err(_) => Attempt::Failed("it did not answer in time".to_owned(), None),
            Ok(Err(error)) if error.is_connect() => Attempt::Failed("it cannot be reached".to_owned(), None),
            Ok(Err(_)) => Attempt::Failed("it broke off".to_owned(), None),
            Ok(Ok(answer)) => {
                let status = answer.status();
                if status.is_success() {
                    Attempt::Delivered
                } else if status.is_server_error() || status.as_u16() == 429 {
                    Attempt::Failed(format!("it answered {}", status.as_u16()), asked(&answer, now))
                } else {
                    Attempt::Refused(format!("it answered {}", status.as_u16()))
                }
            }
        }
    }

    /// `v1,` and base64 of the keyed hash over the id, the time and the body, with dots between them.
    fn signature(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
            context.update(part);
        }
        format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
    }
}

/// For how long the receiver asks to be left alone, with the statuses that say why.
fn asked<T>(answer: &Response<T>, now: Timestamp) -> Option<Duration> {
    let mut fields = answer.headers().get_all(header::RETRY_AFTER).into_iter();
    let field = fields.next().filter(|_| matches!(answer.status().as_u16(), 429 | 503))?;
    // of two words on the same neither counts
    if fields.next().is_some() {
        return None;
    }
    retry_after(field.to_str().ok()?, now)
}

/// What is posted.
pub(super) fn body(message: &Message, now: Timestamp) -> Bytes {
    let kind = match message.kind {
        MessageKind::VerifyEmail => "account.verify_email",
        MessageKind::ResetPassword => "account.reset_password",
        // the library knows more than this gateway: a receiver that does too is told
        other => other.as_str(),
    };
    let body = serde_json::json!({
        "type": kind,
        "timestamp": now.to_rfc3339(),
        "data": {
            "account": &*message.account,
            "email": &*message.email,
            "name": message.name.as_deref(),
            "ticket": message.ticket.expose_text(),
            "ends_at": message.ends.to_rfc3339(),
        },
    });
    Bytes::from(body.to_string())
}

/// Neither the key nor the path, which may be as good as a key.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    #[test]
    fn retry_after_counts_with_429_and_503_and_once() {
        let seconds = |status: u16, fields: &[&str]| {
            let mut answer = Response::builder().status(status);
            for field in fields {
                answer = answer.header("retry-after", *field);
            }
            asked(&answer.body(()).unwrap(), Timestamp::from_unix_seconds(0)).map(|wait| wait.as_secs())
        };
        for status in [429, 503] {
            assert_eq!(seconds(status, &["5"]), Some(5));
            assert_eq!(seconds(status, &["Thu, 01 Jan 1970 00:00:05 GMT"]), Some(5));
            assert_eq!(
                (seconds(status, &[]), seconds(status, &["5", "5"]), seconds(status, &["x"])),
                (None, None, None)
            );
        }
        assert_eq!((seconds(500, &["5"]), seconds(504, &["5"])), (None, None));
    }
}
