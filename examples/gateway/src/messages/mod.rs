//! Messages to people, handed to a webhook: whatever sends mail gets them as signed posts, and this process sends none.
//!
//! Requests put a message into the [`Outbox`] and never wait for more. A thread of its own, the `courier`, posts them,
//! since the two gateways have different runtimes. What comes of it:
//!
//! | answer | then |
//! |---|---|
//! | 200 to 299 | delivered |
//! | 429, 500 to 599, none in time, no connection | once more behind a pause, with the same `webhook-id`; at most so often, and not once the ticket has ended |
//! | anything else, redirections included | given up |
//!
//! With 429 and 503, `Retry-After` makes the pause longer, by ten minutes at most; a ticket that ends before is given up.
//!
//! Everything is bounded: how many messages wait (1,024, beyond which they are lost, which the log tells), how
//! many are posted at once, how long each attempt takes, how much of an answer is read. They are kept in memory: what waits
//! when the process is killed is lost, and people ask again. Who stops the gateway waits a moment longer for them.
//!
//! Posts are signed as [Standard Webhooks](https://www.standardwebhooks.com/) says: `webhook-id`, `webhook-timestamp`, and
//! `webhook-signature` with HMAC-SHA-256 over both and the body. The receiver checks the signature and that the time is of
//! the last minutes, and passes over ids that it has seen.
//!
//! - `outbox`: what waits
//! - `courier`: the thread that empties it
//! - `webhook`: one receiver, and one post to it
//! - `backoff`: the pauses

mod backoff;
mod courier;
mod outbox;
mod webhook;

pub(crate) use courier::Courier;
pub use outbox::Outbox;
pub(crate) use webhook::{Webhook, WebhookMessenger};
