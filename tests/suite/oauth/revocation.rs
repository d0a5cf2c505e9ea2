//! Taking tokens back (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use auth_core::revocation::{Revocation, Revocations};
use auth_core::store::{Answer, Changes, Mark, RevocationStore};
use auth_core::{Clock as _, Outcome, SimulatedClock, StoreError, Timestamp};

use super::{service, service_over, text, wait};

#[test]
fn t30_whoever_takes_back_proves_who_they_are_and_takes_back_their_own() {
    let service = service();
    let (client, other) = (service.writer(), service.writer());
    let token = service.own(&client);
    let content = format!("token={}", token.token());
    assert_eq!(service.ask_at("/revoke", |request| request.content = b"{}".to_vec()).error(), (401, "invalid_client"));
    assert_eq!(service.basic_at("/revoke", &client.record.id, "wrong", &content).error(), (401, "invalid_client"));
    let refused = service.basic_at("/revoke", &other.record.id, text(&other), &content);
    assert_eq!(refused.error(), (400, "unauthorized_client"));
    assert!(service.present(token.token(), "/read").is_ok());
    let done = service.basic_at("/revoke", &client.record.id, text(&client), &content);
    assert_eq!((done.status, done.body), (200, serde_json::Value::Null));
    assert!(service.present(token.token(), "/read").is_err());
}

#[test]
fn t31_what_is_not_good_any_more_is_200_and_no_hint_misleads() {
    let service = service();
    let client = service.writer();
    let ask = |content: &str| service.basic_at("/revoke", &client.record.id, text(&client), content).status;
    let token = service.own(&client);
    assert_eq!(ask("token=unknown"), 200);
    assert_eq!(ask("token=unknown&token_type_hint=access_token"), 200);
    assert_eq!(ask("token_type_hint=access_token"), 400);
    let content = format!("token={}&token_type_hint=refresh_token", token.token());
    assert_eq!((ask(&content), ask(&content)), (200, 200));
    assert!(service.present(token.token(), "/read").is_err());
    assert_eq!(ask("token=a&token=b"), 400);
}

#[test]
fn a_token_that_was_taken_back_takes_no_other_with_it() {
    let service = service();
    let client = service.writer();
    let (one, other) = (service.own(&client), service.own(&client));
    service.basic_at("/revoke", &client.record.id, text(&client), &format!("token={}", one.token()));
    assert!(service.present(one.token(), "/read").is_err());
    assert!(service.present(other.token(), "/read").is_ok());
}

/// Can be read, and nothing can be added.
struct Full;

impl RevocationStore for Full {
    fn add(&self, _: Revocation) -> Answer<()> {
        Outcome::Done(Err(StoreError::Unavailable("the disk is full".to_owned())))
    }

    fn changes(&self, since: Mark) -> Answer<Changes> {
        Outcome::Done(Ok(Changes { revocations: Vec::new(), mark: since }))
    }

    fn delete_ended(&self, _: Timestamp) -> Answer<u64> {
        Outcome::Done(Ok(0))
    }
}

#[test]
fn t33_what_could_not_be_taken_back_is_503_and_asked_again_later() {
    let now = SimulatedClock::at_unix_seconds(1_700_000_000).now();
    let list = wait(Revocations::kept_in(Arc::new(Full), Duration::from_hours(1), now)).unwrap();
    let service = service_over(list, |_| {});
    let client = service.writer();
    let token = service.own(&client);
    let content = format!("token={}", token.token());
    let answer = service.basic_at("/revoke", &client.record.id, text(&client), &content);
    assert_eq!(answer.error(), (503, "temporarily_unavailable"));
    assert!(answer.field("retry-after").is_some(), "{:?}", answer.fields);
    let about = service.basic_at("/introspect", &client.record.id, text(&client), &content);
    assert_eq!(about.body["active"], true, "whoever was told 503 does not believe that it is gone");
}
