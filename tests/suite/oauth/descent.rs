//! What a token was made of, and that it ends with all of it.

use std::sync::Arc;
use std::time::Duration;

use auth_core::client::ClientChange;
use auth_core::endpoint::EndpointRequest;
use auth_core::issue::{FreshClient, Login};
use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::store::MemoryRevocationStore;
use auth_core::{Clock as _, CredentialFault, Identity, Outcome, Rejection, Secret, Timestamp};
use proptest::prelude::*;

use super::exchange::{ACCESS_TOKEN, exchange, exchanger, users};
use super::refresh::{granted, holder};
use super::{ISSUER, Service, service, service_over, text, wait};

/// A gate that answers by a list that is kept.
fn kept_service(store: &Arc<MemoryRevocationStore>) -> (Service, Revocations) {
    let now = auth_core::SimulatedClock::at_unix_seconds(1_700_000_000).now();
    let list = wait(Revocations::kept_in(Arc::clone(store) as _, Duration::from_hours(24), now)).unwrap();
    (service_over(list.clone(), |parts| parts.quotas.client = "1000/s".parse().unwrap()), list)
}

fn identity(service: &Service, token: &str) -> Identity {
    (*service.present(token, "/read").unwrap()).clone()
}

fn is_good(service: &Service, token: &str) -> bool {
    match service.present(token, "/read") {
        Ok(_) => true,
        Err(Rejection::InvalidCredential(CredentialFault::Revoked)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn revoke(service: &Service, target: Target, issued_before: Option<Timestamp>) {
    let mut revocation = Revocation::new(target, Timestamp::MAX);
    revocation.issued_before = issued_before;
    let Outcome::Done(Ok(())) = service.revocations.revoke(&revocation, service.clock.now()) else {
        panic!("memory never waits")
    };
}

/// A token of a client's own that was exchanged by one client and then by another, and what else was made of the first.
fn chain(service: &Service) -> [String; 4] {
    let (desk, back) = (exchanger(service, "desk", &["read"], None), exchanger(service, "back", &["read"], None));
    let first = users(service, |_| {});
    let second = exchange(service, &desk, &first, "").token().to_owned();
    let third = exchange(service, &back, &second, "").token().to_owned();
    let sibling = exchange(service, &back, &first, "").token().to_owned();
    [first, second, third, sibling]
}

fn good(service: &Service, tokens: &[String; 4]) -> [bool; 4] {
    tokens.each_ref().map(|token| is_good(service, token))
}

#[test]
fn t24_an_exchanged_token_ends_with_the_one_that_was_shown_and_takes_none_with_it() {
    for (which, left) in [
        (0, [false, false, false, false]),
        (1, [true, false, false, true]),
        (2, [true, true, false, true]),
        (3, [true, true, true, false]),
    ] {
        let service = service();
        let tokens = chain(&service);
        assert_eq!(good(&service, &tokens), [true; 4]);
        let id = identity(&service, &tokens[which]).credential_id.unwrap();
        revoke(&service, Target::credential(ISSUER, &*id), None);
        assert_eq!(good(&service, &tokens), left, "{which}");
    }
}

#[test]
fn t24_an_exchanged_token_ends_with_every_client_that_asked_and_the_next_is_good_at_once() {
    let network = auth_core::NetworkSet::parse(["192.0.2.0/24"]).unwrap();
    for change in [
        ClientChange::Disable,
        ClientChange::Permissions(["read"].into_iter().collect()),
        ClientChange::Networks(Some(Arc::new(network))),
        ClientChange::Expiry(Some(Timestamp::from_unix_seconds(1_800_000_000))),
    ] {
        let service = service();
        let tokens = chain(&service);
        wait(service.clients.change("desk", change.clone())).unwrap();
        assert_eq!(good(&service, &tokens), [true, false, false, true], "{change:?}");
        wait(service.clients.change("desk", ClientChange::Enable)).unwrap();
        assert_eq!(good(&service, &tokens), [true, false, false, true], "{change:?}, and on again");
        // within the same second
        service.clock.advance(Duration::from_millis(1));
        let rotated = wait(service.clients.rotate("desk", Duration::from_hours(1), service.clock.now())).unwrap();
        let next = exchange(&service, &rotated, &tokens[0], "");
        assert!(is_good(&service, next.token()), "{change:?}");
    }
    let service = service();
    let tokens = chain(&service);
    wait(service.clients.delete("back")).unwrap();
    assert_eq!(good(&service, &tokens), [true, true, false, false], "it is deleted");
}

#[test]
fn t24_an_exchanged_token_ends_with_what_was_taken_back_by_the_time_of_its_issue() {
    let service = service();
    let first = users(&service, |_| {});
    let desk = exchanger(&service, "desk", &["read"], None);
    let noon = service.clock.now().wall.saturating_add(Duration::from_secs(5));
    service.clock.advance(Duration::from_secs(10));
    let second = exchange(&service, &desk, &first, "").token().to_owned();
    let other = users(&service, |_| {});
    service.clock.advance(Duration::from_secs(1));
    revoke(&service, Target::subject(ISSUER, "user_ada"), Some(noon));
    assert!(!is_good(&service, &first));
    assert!(!is_good(&service, &second), "although it was issued later");
    assert!(is_good(&service, &other));
}

#[test]
fn t24_an_exchanged_token_ends_with_that_of_the_actor_its_session_and_its_client() {
    let ways: [fn(&Service, &Identity); 4] = [
        |service, actor| revoke(service, Target::credential(ISSUER, &**actor.credential_id.as_ref().unwrap()), None),
        |service, _| revoke(service, Target::session(ISSUER, "ses_bob"), None),
        |service, _| revoke(service, Target::subject(ISSUER, "user_bob"), None),
        |service, _| {
            wait(service.clients.change("back", ClientChange::Disable)).unwrap();
        },
    ];
    for way in ways {
        let service = service();
        let (desk, back) = (exchanger(&service, "desk", &["read"], None), exchanger(&service, "back", &["read"], None));
        let bobs = users(&service, |wanted| {
            wanted.subject = "user_bob".into();
            wanted.session = Some("ses_bob".into());
        });
        let actor = exchange(&service, &back, &bobs, "").token().to_owned();
        let more = format!("&actor_token={actor}&actor_token_type={ACCESS_TOKEN}");
        let first = users(&service, |_| {});
        let second = exchange(&service, &desk, &first, &more).token().to_owned();
        way(&service, &identity(&service, &actor));
        assert!(!is_good(&service, &second));
        assert!(is_good(&service, &first));
    }
}

#[test]
fn t24_what_ends_an_exchanged_token_is_kept_over_restarts() {
    let store = Arc::new(MemoryRevocationStore::new());
    let (service, list) = kept_service(&store);
    let tokens = chain(&service);
    let [identities, other] =
        [&tokens, &chain_of_others(&service)].map(|tokens| tokens.each_ref().map(|token| identity(&service, token)));
    wait(service.clients.change("desk", ClientChange::Disable)).unwrap();
    let now = service.clock.now();
    assert_eq!(identities.each_ref().map(|one| list.cover(one, now)), [false, true, true, false]);
    let (_, again) = kept_service(&store);
    assert_eq!(identities.each_ref().map(|one| again.cover(one, now)), [false, true, true, false]);
    assert_eq!(other.each_ref().map(|one| again.cover(one, now)), [false; 4]);
}

fn chain_of_others(service: &Service) -> [String; 4] {
    let other = exchanger(service, "other", &["read"], None);
    let first = users(service, |_| {});
    let second = exchange(service, &other, &first, "").token().to_owned();
    let third = exchange(service, &other, &second, "").token().to_owned();
    [first.clone(), second, third, first]
}

#[test]
fn t24_what_was_made_of_a_token_that_was_taken_back_is_not_active_and_makes_no_other() {
    let service = service();
    let [_, second, third, _] = chain(&service);
    let asker = exchanger(&service, "asker", &["introspect", "read"], None);
    let active = |token: &str| {
        service.basic_at("/introspect", "asker", text(&asker), &format!("token={token}")).body["active"].clone()
    };
    assert_eq!(active(&third), true);
    let id = identity(&service, &second).credential_id.unwrap();
    revoke(&service, Target::credential(ISSUER, &*id), None);
    assert_eq!(active(&third), false);
    assert_eq!(exchange(&service, &asker, &third, "").error(), (400, "invalid_request"));
}

#[test]
fn t24_a_token_that_was_exchanged_too_often_is_not_exchanged_again() {
    let service = super::service_with(|parts| parts.quotas.client = "1000/s".parse().unwrap());
    let desk = exchanger(&service, "desk", &["read"], None);
    // nobody acts for somebody else, so that the chain of actors does not grow
    let mut token = service.own(&desk).token().to_owned();
    let mut times = 0;
    loop {
        let next = exchange(&service, &desk, &token, "");
        if next.status != 200 {
            assert_eq!(next.error(), (400, "invalid_request"));
            break;
        }
        token = next.token().to_owned();
        times += 1;
        assert!(token.len() < 4096 && times < 30, "{times} exchanges, {} bytes", token.len());
    }
    assert!(times >= 20, "{times}");
}

#[test]
fn t14_the_access_tokens_of_a_client_that_holds_a_session_end_with_the_client() {
    let service = service();
    let (app, other) = (holder(&service, "app", &["read"]), holder(&service, "other", &["read"]));
    let (first, others) = (granted(&service, &app, "1", ""), granted(&service, &other, "2", ""));
    assert!(is_good(&service, first.token()) && is_good(&service, others.token()));
    wait(service.clients.change("app", ClientChange::Disable)).unwrap();
    assert!(!is_good(&service, first.token()));
    assert!(is_good(&service, others.token()));
    wait(service.clients.change("app", ClientChange::Enable)).unwrap();
    service.clock.advance(Duration::from_millis(1));
    assert!(is_good(&service, granted(&service, &app, "3", "").token()));
    // whoever holds a session by themselves has nothing to do with it
    let login = Login::new("ada", Secret::from("correct horse battery"));
    let own = wait(service.accounts.log_in(login, service.clock.now())).unwrap();
    wait(service.clients.change("app", ClientChange::Disable)).unwrap();
    assert!(is_good(&service, own.access.token.expose_text().unwrap()));
}

/// What happens next in a history of exchanges.
#[derive(Clone, Debug)]
enum Event {
    /// A client exchanges one of the tokens so far, perhaps with another one as that of the actor.
    Exchange { client: usize, subject: usize, actor: Option<usize> },
    /// A token is taken back by its id.
    Token(usize),
    /// A user's session ends.
    Session(usize),
    /// Everything of a user that was issued before now is taken back.
    User(usize),
    /// A client is switched off and on again.
    Client(usize),
    /// Time passes.
    Pause(u64),
}

const CLIENTS: [&str; 3] = ["desk", "back", "shop"];
const USERS: [&str; 2] = ["user_ada", "user_bob"];

fn history() -> impl Strategy<Value = Vec<Event>> {
    let token = || 0..40_usize;
    let exchange = (0..CLIENTS.len(), token(), proptest::option::weighted(0.3, token()))
        .prop_map(|(client, subject, actor)| Event::Exchange { client, subject, actor });
    let event = prop_oneof![
        8 => exchange,
        1 => token().prop_map(Event::Token),
        1 => (0..USERS.len()).prop_map(Event::Session),
        1 => (0..USERS.len()).prop_map(Event::User),
        1 => (0..CLIENTS.len()).prop_map(Event::Client),
        2 => (1..2_000_u64).prop_map(Event::Pause),
    ];
    proptest::collection::vec(event, 1..24)
}

/// A token, and what the test knows of it without reading it.
struct Known {
    token: String,
    made_of: Vec<usize>,
    user: usize,
    /// The client that asked for it.
    client: Option<usize>,
    /// Whether something took back this very one.
    is_hit: bool,
}

/// Whether a token or anything that it was made of was taken back.
fn is_over(all: &[Known], one: &Known) -> bool {
    one.is_hit || one.made_of.iter().any(|of| all.get(*of).is_none_or(|of| is_over(all, of)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is exchanged for whatever, and whatever is taken back in between: a token is refused exactly where it, or
    /// something that it was made of, was taken back.
    #[test]
    fn t24_an_exchanged_token_outlives_nothing_it_descends_from(history in history()) {
        let service = super::service_with(|parts| parts.quotas.client = "1000/s".parse().unwrap());
        let clients: Vec<FreshClient> = CLIENTS.iter().map(|id| exchanger(&service, id, &["read"], None)).collect();
        let mut all: Vec<Known> = (0..USERS.len()).map(|user| Known {
            token: users(&service, |wanted| {
                wanted.subject = USERS[user].into();
                wanted.session = Some(format!("ses_{user}").into());
            }),
            made_of: Vec::new(),
            user,
            client: None,
            is_hit: false,
        }).collect();
        for event in history {
            match event {
                Event::Exchange { client, subject, actor } => {
                    let (subject, actor) = (subject % all.len(), actor.map(|actor| actor % all.len()));
                    let more = actor.map(|actor| {
                        format!("&actor_token={}&actor_token_type={ACCESS_TOKEN}", all[actor].token)
                    });
                    let token = &all[subject].token;
                    let answer = exchange(&service, &clients[client], token, &more.unwrap_or_default());
                    let made_of: Vec<usize> = std::iter::once(subject).chain(actor).collect();
                    let is_possible = made_of.iter().all(|of| !is_over(&all, &all[*of]));
                    prop_assert!(is_possible || answer.status == 400, "something was made of what is over");
                    if answer.status == 200 {
                        let (token, user) = (answer.token().to_owned(), all[subject].user);
                        all.push(Known { token, made_of, user, client: Some(client), is_hit: false });
                    }
                }
                Event::Token(which) => {
                    let which = which % all.len();
                    let id = super::exchange::claims(&all[which].token)["jti"].as_str().unwrap().to_owned();
                    revoke(&service, Target::credential(ISSUER, id), None);
                    all[which].is_hit = true;
                }
                Event::Session(user) => {
                    revoke(&service, Target::session(ISSUER, format!("ses_{user}")), None);
                    all.iter_mut().filter(|one| one.user == user).for_each(|one| one.is_hit = true);
                }
                Event::User(user) => {
                    let instant = service.clock.now().wall.saturating_add(Duration::from_micros(1));
                    revoke(&service, Target::subject(ISSUER, USERS[user]), Some(instant));
                    all.iter_mut().filter(|one| one.user == user).for_each(|one| one.is_hit = true);
                    // the test's own tokens say in whole seconds when they were issued
                    service.clock.advance(Duration::from_secs(2));
                    let token = users(&service, |wanted| {
                        wanted.subject = USERS[user].into();
                        wanted.session = Some(format!("ses_{user}").into());
                    });
                    let is_hit = !is_good(&service, &token);
                    all.push(Known { token, made_of: Vec::new(), user, client: None, is_hit });
                }
                Event::Client(client) => {
                    wait(service.clients.change(CLIENTS[client], ClientChange::Disable)).unwrap();
                    wait(service.clients.change(CLIENTS[client], ClientChange::Enable)).unwrap();
                    all.iter_mut().filter(|one| one.client == Some(client)).for_each(|one| one.is_hit = true);
                    service.clock.advance(Duration::from_micros(10));
                }
                Event::Pause(millis) => service.clock.advance(Duration::from_millis(millis)),
            }
            for (number, one) in all.iter().enumerate() {
                prop_assert_eq!(is_good(&service, &one.token), !is_over(&all, one), "token {}", number);
            }
        }
    }
}

/// Whoever was lent a part of a session does not get the whole of it by refreshing it.
#[test]
fn t24_an_exchanged_token_refreshes_no_session() {
    let service = service();
    let desk = exchanger(&service, "desk", &["read"], None);
    let login = Login::new("ada", Secret::from("correct horse battery"));
    let login = wait(service.accounts.log_in(login, service.clock.now())).unwrap();
    let own = login.access.token.expose_text().unwrap();
    let lent = exchange(&service, &desk, own, "&scope=read");
    let refresh = |token: &str| {
        let caller = service.present(token, "/read").unwrap();
        let mut request = EndpointRequest::new("POST", service.clock.now());
        request.caller = Some(caller);
        let found = service.endpoints.find("POST", "/refresh").unwrap();
        wait(service.endpoints.answer(found, request)).map(|reply| reply.status)
    };
    assert_eq!(refresh(lent.token()), Err(Rejection::InvalidCredential(CredentialFault::Kind)));
    assert_eq!(refresh(own), Ok(200));
}
