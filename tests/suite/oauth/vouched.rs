//! Sessions that were opened by the word of somebody else.

use std::sync::Arc;

use auth_core::issue::{
    AccountParts, Accounts, Actor, Administering, Administration, Assertions, Login, PasswordCost, PasswordThreads,
    Passwords,
};
use auth_core::store::{Answer, MemoryOnceStore, MemoryTrustStore, OnceKey, OnceStore, Spending, TrustStore};
use auth_core::trust::{PublicKeys, Reach, TrustRecord};
use auth_core::{Clock as _, Outcome, Secret, Timestamp};

use super::refresh::{assertion, granted, holder, refresh_token, refreshed};
use super::{ISSUER, Service, service, wait};

fn administration(service: &Service) -> Administration {
    let mut all = Administration::new();
    all.accounts = Some(service.accounts.clone());
    all
}

fn by<'a>(all: &'a Administration, service: &Service) -> Administering<'a> {
    all.by(Actor { subject: "root".into(), client: None }, service.clock.now())
}

#[test]
fn whose_word_opened_a_session_ends_it() {
    let service = service();
    let all = administration(&service);
    let app = holder(&service, "app", &["read"]);
    let held = granted(&service, &app, "1", "");
    let now = service.clock.now();
    let lent = wait(service.accounts.log_in_with_assertion(&assertion("2"), None, now)).unwrap();
    let login = Login::new("ada", Secret::from("correct horse battery"));
    let own = wait(service.accounts.log_in(login, now)).unwrap();
    let text = |tokens: &auth_core::issue::Tokens| tokens.access.token.expose_text().unwrap().to_owned();
    let (lent_token, own_token) = (text(&lent), text(&own));
    let desk = super::exchange::exchanger(&service, "desk", &["read"], None);
    let exchanged = super::exchange::exchange(&service, &desk, &lent_token, "").token().to_owned();
    for token in [held.token(), &lent_token, &own_token, &exchanged] {
        assert!(service.present(token, "/read").is_ok());
    }
    wait(by(&all, &service).disable_partner("partner")).unwrap();
    assert!(service.present(&lent_token, "/read").is_ok(), "one that is switched off keeps what it opened");
    wait(by(&all, &service).remove_partner("partner")).unwrap();
    for token in [held.token(), &lent_token, &exchanged] {
        assert!(service.present(token, "/read").is_err());
    }
    assert!(service.present(&own_token, "/read").is_ok(), "nobody vouched for it");
    assert_eq!(refreshed(&service, &app, &refresh_token(&held), "").error(), (400, "invalid_grant"));
    let refresh = lent.refresh.unwrap();
    assert!(wait(service.accounts.refresh(refresh.expose_text().unwrap(), None, now)).is_err());
    // a partner of the same name opens what is its own
    let keys = PublicKeys::parse(&super::assertion::jwks()).unwrap();
    wait(by(&all, &service).add_partner("partner", keys, Reach::Everybody, None)).unwrap();
    let again = wait(service.accounts.log_in_with_assertion(&assertion("3"), None, now)).unwrap();
    assert!(service.present(&text(&again), "/read").is_ok());
    assert!(service.present(&lent_token, "/read").is_err());
}

/// Remembers assertions, and has their partner removed at that very moment.
struct Meanwhile(Arc<MemoryTrustStore>, MemoryOnceStore);

impl OnceStore for Meanwhile {
    fn use_once(&self, key: &OnceKey, until: Timestamp) -> Answer<Spending> {
        let Outcome::Done(Ok(_)) = self.0.delete("p") else { panic!("memory never waits") };
        self.1.use_once(key, until)
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.1.delete_ended(before)
    }
}

#[test]
fn a_login_by_the_word_of_a_partner_that_is_removed_meanwhile_comes_to_nothing() {
    let service = service();
    let now = service.clock.now();
    let partners = Arc::new(MemoryTrustStore::new());
    let keys = PublicKeys::parse(&super::assertion::jwks()).unwrap();
    wait(partners.insert(TrustRecord::new("p", "partner", keys, Reach::Everybody, now.wall)).resolve()).unwrap();
    let cost = PasswordCost::dangerously_weak(8, 1, 1).unwrap();
    let passwords = Passwords::new(cost, PasswordThreads::default()).unwrap();
    let store = Arc::clone(service.accounts.store());
    let mut parts = AccountParts::new(Arc::clone(&store), passwords, service.clients.issuer().clone());
    let used = Meanwhile(Arc::clone(&partners), MemoryOnceStore::new());
    parts.assertions = Some(Assertions::new(partners, Arc::new(used), ISSUER));
    let accounts = Accounts::new(parts);
    assert!(wait(accounts.log_in_with_assertion(&assertion("1"), None, now)).is_err());
    let sessions = wait(store.sessions(&service.ada.id).resolve()).unwrap();
    assert!(sessions.iter().all(|session| session.check(now.wall).is_err()), "{sessions:?}");
    assert_eq!(sessions.len(), 1, "it was opened, and is over");
}
