//! What ends tokens, and guesses at secrets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::client::ClientChange;
use auth_core::issue::{Actor, Administration, ClientError, NewClient};
use auth_core::{Clock as _, NetworkSet};

use super::{service, service_with, text, wait};

const OWN: &str = "grant_type=client_credentials";

#[test]
fn t9_an_address_that_guesses_is_told_nothing_after_a_while_and_locks_nobody_out() {
    let service = service_with(|parts| parts.quotas.source = "5/minute".parse().unwrap());
    let client = service.writer();
    let (id, secret) = (&*client.record.id, text(&client));
    for _ in 0..5 {
        assert_eq!(service.basic(id, "wrong", OWN).error(), (401, "invalid_client"));
    }
    for secret in ["wrong", secret] {
        let answer = service.basic(id, secret, OWN);
        assert_eq!(answer.error(), (429, "rate_limit_exceeded"));
        assert_eq!(answer.field("retry-after"), Some("12"));
    }
    // the client itself comes from elsewhere, and nothing was taken from it
    let elsewhere = service.ask(|request| {
        request.client = Some(IpAddr::from([198, 51, 100, 1]));
        request.media_type = Some(super::FORM.to_owned());
        request.content = format!("{OWN}&client_id={id}&client_secret={secret}").into_bytes();
    });
    assert_eq!(elsewhere.status, 200);
    service.clock.advance(Duration::from_secs(12));
    assert_eq!(service.own(&client).status, 200);
}

#[test]
fn t9_as_many_guesses_at_once_are_told_no_more() {
    let service = service_with(|parts| parts.quotas.source = "5/minute".parse().unwrap());
    let client = service.writer();
    let told = std::thread::scope(|scope| {
        let guess = |_| scope.spawn(|| service.basic(&client.record.id, "wrong", OWN).status);
        let threads: Vec<_> = (0..50).map(guess).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|status| *status == 401).count()
    });
    assert_eq!(told, 5);
}

#[test]
fn l16_a_client_has_a_budget_of_its_own_and_no_more_at_once() {
    let service = service_with(|parts| parts.quotas.client = "5/minute".parse().unwrap());
    let (client, other) = (service.writer(), service.writer());
    let given = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(|| service.own(&client).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(given, 5);
    let refused = service.own(&client);
    assert_eq!((refused.error(), refused.field("retry-after")), ((429, "rate_limit_exceeded"), Some("12")));
    assert_eq!(service.own(&other).status, 200);
}

#[test]
fn every_change_that_takes_something_away_ends_the_tokens_given_so_far() {
    let ends = |change: ClientChange, still_gets: u16| {
        let service = service();
        let client = service.writer();
        let before = service.own(&client);
        assert!(service.present(before.token(), "/read").is_ok());
        wait(service.clients.change(&client.record.id, change.clone())).unwrap();
        assert!(service.present(before.token(), "/read").is_err(), "{change:?}");
        // in the very same second
        service.clock.advance(Duration::from_millis(1));
        let after = service.own(&client);
        assert_eq!(after.status, still_gets, "{change:?}");
        if after.status == 200 {
            assert!(service.present(after.token(), "/read").is_ok(), "{change:?}");
            wait(service.clients.change(&client.record.id, ClientChange::Disable)).unwrap();
            assert!(service.present(after.token(), "/read").is_err(), "{change:?}, and again");
        }
    };
    let now = service().clock;
    ends(ClientChange::Disable, 401);
    ends(ClientChange::Permissions(["read"].into_iter().collect()), 200);
    ends(ClientChange::Networks(Some(Arc::new(NetworkSet::parse(["198.51.100.0/24"]).unwrap()))), 401);
    ends(ClientChange::Networks(Some(Arc::new(NetworkSet::parse(["192.0.2.0/24"]).unwrap()))), 200);
    ends(ClientChange::Grants([].into_iter().collect()), 400);
    ends(ClientChange::Expiry(Some(auth_core::Clock::now(&*now).wall)), 401);
}

#[test]
fn a_client_that_is_deleted_leaves_no_good_token_behind() {
    let service = service();
    let client = service.writer();
    let token = service.own(&client);
    wait(service.clients.delete(&client.record.id)).unwrap();
    assert!(service.present(token.token(), "/read").is_err());
    assert_eq!(service.own(&client).error(), (401, "invalid_client"));
    assert_eq!(wait(service.clients.delete(&client.record.id)), Err(ClientError::Missing));
}

#[test]
fn a_token_does_not_outlive_its_client() {
    let service = service();
    let mut wanted = NewClient::new("short");
    wanted.expires = Some(auth_core::Clock::now(&*service.clock).wall.saturating_add(Duration::from_secs(90)));
    wanted.permissions = ["read"].into_iter().collect();
    let client = service.client(wanted);
    let given = service.own(&client);
    assert_eq!(given.body["expires_in"], 90);
    service.clock.advance(Duration::from_secs(90));
    assert_eq!(service.own(&client).error(), (401, "invalid_client"));
}

#[test]
fn two_secrets_work_until_the_overlap_has_passed_and_a_leaked_one_ends_with_its_tokens() {
    let service = service();
    let first = service.writer();
    let id = first.record.id.clone();
    let now = || auth_core::Clock::now(&*service.clock);
    let second = wait(service.clients.rotate(&id, Duration::from_mins(1), now())).unwrap();
    assert_eq!((service.own(&first).status, service.own(&second).status), (200, 200));
    assert_eq!(wait(service.clients.rotate(&id, Duration::from_mins(1), now())).unwrap_err(), ClientError::Rotating);
    service.clock.advance(Duration::from_mins(1));
    assert_eq!((service.own(&first).status, service.own(&second).status), (401, 200));
    let token = service.own(&second);
    let third = wait(service.clients.rotate(&id, Duration::ZERO, now())).unwrap();
    assert!(service.present(token.token(), "/read").is_err());
    assert_eq!((service.own(&second).status, service.own(&third).status), (401, 200));
}

#[test]
fn clients_of_another_environment_are_nobody() {
    let service = service_with(|parts| {
        parts.environments = vec!["development".into(), "production".into()];
        parts.environment = Some("production".into());
    });
    let mut wanted = NewClient::new("other");
    wanted.environment = Some("development".into());
    assert_eq!(service.own(&service.client(wanted)).error(), (401, "invalid_client"));
    assert_eq!(service.own(&service.writer()).status, 200);
    let mut wanted = NewClient::new("unknown");
    wanted.environment = Some("staging".into());
    let refused = wait(service.clients.create(wanted, auth_core::Clock::now(&*service.clock)));
    assert!(matches!(refused, Err(ClientError::Invalid(_))));
}

#[test]
fn t40_secrets_are_long_random_and_kept_as_a_hash() {
    let service = service();
    let (one, other) = (service.writer(), service.writer());
    assert_ne!(text(&one), text(&other));
    // 40 of 62 characters are 238 bits
    assert!(text(&one).len() == 40 && text(&one).bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let printed = format!("{one:?} {:?} {:?}", one.record, service.clients);
    assert!(!printed.contains(text(&one)), "{printed}");
}

#[test]
fn a_token_is_good_where_its_client_is() {
    let service = service();
    let mut wanted = NewClient::new("bound");
    wanted.permissions = ["read"].into_iter().collect();
    wanted.networks = Some(Arc::new(NetworkSet::parse(["192.0.2.0/24"]).unwrap()));
    let token = service.own(&service.client(wanted));
    assert!(service.present(token.token(), "/read").is_ok());
    assert!(service.present_from([198, 51, 100, 1], token.token(), "/read").is_err());
}

#[test]
fn s7_tokens_of_clients_end_with_their_tenant_and_its_networks_hold_for_them() {
    let service = service();
    let mut all = Administration::new();
    all.accounts = Some(service.accounts.clone());
    all.clients = Some(service.clients.clone());
    let acting = || all.by(Actor { subject: "root".into(), client: None }, service.clock.now());
    let mut wanted = NewClient::new("of acme");
    wanted.permissions = ["read"].into_iter().collect();
    wanted.tenant = Some("acme".into());
    let client = service.client(wanted);

    let anywhere = service.own(&client);
    assert!(service.present_from([198, 51, 100, 1], anywhere.token(), "/read").is_ok());
    let office = NetworkSet::parse(["192.0.2.0/24"]).unwrap();
    wait(acting().set_tenant_networks("acme", Some(Arc::new(office)))).unwrap();
    assert!(service.present(anywhere.token(), "/read").is_err(), "what was given before knows nothing of the list");
    service.clock.advance(Duration::from_millis(1));
    let bound = service.own(&client);
    assert!(service.present(bound.token(), "/read").is_ok());
    assert!(service.present_from([198, 51, 100, 1], bound.token(), "/read").is_err());

    wait(acting().disable_tenant("acme")).unwrap();
    assert!(service.present(bound.token(), "/read").is_err());
    assert_eq!(service.own(&client).error(), (401, "invalid_client"));
    wait(acting().enable_tenant("acme")).unwrap();
    service.clock.advance(Duration::from_millis(1));
    assert!(service.present(service.own(&client).token(), "/read").is_ok());
    assert!(service.present(bound.token(), "/read").is_err(), "what was refused stays refused");
}
