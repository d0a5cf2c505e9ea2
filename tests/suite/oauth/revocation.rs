//! Taking tokens back (RFC 7009).

use super::{service, text};

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
