//! Addresses that have to be verified before anybody logs in, by whatever they log in with.

use std::sync::Arc;

use auth_core::account::AccountChange;
use auth_core::api_key::{KeyHasher, Peppers};
use auth_core::issue::{
    AccountError, AccountParts, Assertions, Messages, NewAccount, ProvidersEmail, Rotation, UnverifiedEmail,
};
use auth_core::store::{MemoryOnceStore, MemoryTrustStore, TrustStore};
use auth_core::trust::{PublicKeys, Reach, TrustRecord};
use auth_core::{LoginFault, Secret, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::mailbox::Mailbox;
use super::service::{PASSWORD, Service};
use super::sso::{Provider, come, service_with};
use crate::corpus::folder;

const UNVERIFIED: AccountError = AccountError::Login(LoginFault::EmailNotVerified);

fn strict(parts: &mut AccountParts) -> Mailbox {
    let mailbox = Mailbox::default();
    let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
    parts.messages = Some(Messages::new(Arc::new(mailbox.clone()), peppers));
    parts.unverified_email = UnverifiedEmail::Refused;
    mailbox
}

fn person(email: &str, is_verified: bool) -> Value {
    json!({ "email": email, "email_verified": is_verified })
}

#[tokio::test]
async fn a_provider_verifies_no_address_unless_it_is_trusted_for_that() {
    let (provider, mut mailbox) = (Provider::default(), Mailbox::default());
    let service = service_with(&provider, |_, parts| mailbox = strict(parts));
    provider.says(person("ada@example.com", true), &Value::Null);
    assert_eq!(come(&service, &provider).await.unwrap_err(), UNVERIFIED);
    // there is no password to ask for a ticket with, so one is sent
    assert_eq!(mailbox.count(), 1);
    let ticket = mailbox.newest().ticket;
    service.accounts.verify_email(&ticket, None, service.now()).await.unwrap();
    assert!(come(&service, &provider).await.unwrap().account.email_verified.is_some());
    assert_eq!(mailbox.count(), 1);
    // somebody whose provider tells no address, or none that it has verified
    for (number, claims) in [json!({}), person("grace@example.com", false)].into_iter().enumerate() {
        let mut claims = claims;
        claims["sub"] = format!("nobody-{number}").into();
        provider.says(claims, &Value::Null);
        assert_eq!(come(&service, &provider).await.unwrap_err(), UNVERIFIED);
    }
    assert_eq!(mailbox.count(), 1, "nobody can be written to");
}

#[tokio::test]
async fn a_trusted_provider_verifies_the_address_that_the_account_has() {
    let provider = Provider::default();
    let service = service_with(&provider, |settings, parts| {
        settings.email = ProvidersEmail::Trusted;
        strict(parts);
    });
    // what it says is not verified is not
    provider.says(person("ada@example.com", false), &Value::Null);
    assert_eq!(come(&service, &provider).await.unwrap_err(), UNVERIFIED);
    let mut claims = person("grace@example.com", true);
    claims["sub"] = "subject-2".into();
    provider.says(claims.clone(), &Value::Null);
    let grace = come(&service, &provider).await.unwrap().account;
    assert!(grace.email_verified.is_some());
    // another address than the account's says nothing of the account's
    let other = auth_core::account::LoginName::fold("other@example.com").unwrap();
    service.accounts.change(&grace.id, AccountChange::Email(Some(other)), service.now()).await.unwrap();
    assert_eq!(come(&service, &provider).await.unwrap_err(), UNVERIFIED);
    assert!(service.accounts.find(&grace.id).await.unwrap().email_verified.is_none());
    // and the account's, also where it was there before the provider
    claims["email"] = "OTHER@example.com".into();
    provider.says(claims, &Value::Null);
    assert!(come(&service, &provider).await.unwrap().account.email_verified.is_some());
}

#[tokio::test]
async fn a_trusted_provider_is_asked_for_no_verified_address_where_none_is_needed() {
    let provider = Provider::default();
    for (trust, is_verified) in [(ProvidersEmail::Unverified, false), (ProvidersEmail::Trusted, true)] {
        let service = service_with(&provider, |settings, _| settings.email = trust);
        provider.says(person("ada@example.com", true), &Value::Null);
        let account = come(&service, &provider).await.unwrap().account;
        assert_eq!(account.email_verified.is_some(), is_verified, "{trust:?}");
    }
}

/// A partner's word for that name.
fn word(id: &str) -> String {
    let key = EncodingKey::from_ed_pem(&std::fs::read(folder("keys/ed25519.pem")).unwrap()).unwrap();
    let claims = json!({ "iss": "partner", "sub": "ada@example.com", "aud": "us", "exp": 1_800_000_300, "jti": id });
    encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap()
}

#[tokio::test]
async fn the_word_of_a_partner_opens_no_session_for_an_unverified_address() {
    let partners = MemoryTrustStore::new();
    let keys = PublicKeys::parse(&std::fs::read_to_string(folder("keys/ed25519.pub.pem")).unwrap()).unwrap();
    let partner = TrustRecord::new("p", "partner", keys, Reach::Everybody, Timestamp::from_unix_seconds(0));
    partners.insert(partner).resolve().await.unwrap();
    let mut mailbox = Mailbox::default();
    let service = Service::with(Rotation::default(), |parts, _| {
        mailbox = strict(parts);
        parts.assertions = Some(Assertions::new(Arc::new(partners), Arc::new(MemoryOnceStore::new()), "us"));
    });
    let mut wanted = NewAccount::new();
    wanted.email = Some("ada@example.com".to_owned());
    wanted.password = Some(Secret::from(PASSWORD));
    let account = service.accounts.create(wanted, service.now()).await.unwrap();
    let word = word("1");
    for _ in 0..2 {
        let refused = service.accounts.log_in_with_assertion(&word, None, service.now()).await.unwrap_err();
        assert_eq!(refused, UNVERIFIED);
    }
    service.accounts.request_email_verification(&account, None, service.now()).await.unwrap();
    service.accounts.verify_email(&mailbox.newest().ticket, None, service.now()).await.unwrap();
    // what opened nothing was not used up
    service.accounts.log_in_with_assertion(&word, None, service.now()).await.unwrap();
    assert!(service.accounts.log_in_with_assertion(&word, None, service.now()).await.is_err());
}
