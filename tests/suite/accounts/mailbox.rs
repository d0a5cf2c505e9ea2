//! Resetting passwords and verifying addresses: what tickets do, once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_core::account::{AccountChange, LoginName};
use auth_core::api_key::{KeyHasher, KeyStatus, Peppers};
use auth_core::issue::{
    AccountError, Login, Message, MessageKind, MessageQuotas, MessageThrottle, Messages, Messenger, NewKey, Rotation,
    UnverifiedEmail,
};
use auth_core::store::MemoryLimitStore;
use auth_core::{LoginFault, Rejection, Secret, SimulatedClock};

use super::service::{PASSWORD, Service};

const EMAIL: &str = "ada@example.com";
const FRESH: &str = "another good password";

/// A mailbox that holds everything that was sent.
#[derive(Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Vec<Message>>>);

impl Messenger for Mailbox {
    fn send(&self, message: Message) {
        self.0.lock().unwrap().push(message);
    }
}

impl Mailbox {
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(super) fn newest(&self) -> Message {
        self.0.lock().unwrap().last().cloned().unwrap()
    }
}

fn service(unverified: UnverifiedEmail) -> (Service, Mailbox) {
    let mailbox = Mailbox::default();
    let messenger = Arc::new(mailbox.clone());
    let service = Service::with(Rotation::default(), |parts, clock| {
        let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
        let mut messages = Messages::new(messenger, peppers);
        let store = Arc::new(MemoryLimitStore::new());
        let throttle = MessageThrottle::new(MessageQuotas::default(), store, Arc::<SimulatedClock>::clone(clock));
        messages.throttle = Some(throttle);
        parts.messages = Some(messages);
        parts.unverified_email = unverified;
    });
    (service, mailbox)
}

async fn reset_ticket(service: &Service, mailbox: &Mailbox) -> Secret {
    service.accounts.request_password_reset(EMAIL, None, service.now()).await.unwrap();
    let message = mailbox.newest();
    assert_eq!((message.kind, &*message.email), (MessageKind::ResetPassword, EMAIL));
    message.ticket
}

async fn reset(service: &Service, ticket: &Secret, password: &str) -> Result<(), AccountError> {
    let reset = service.accounts.reset_password_by(ticket, Secret::from(password), None, service.now());
    reset.await.map(|_| ())
}

async fn login(service: &Service, password: &str) -> Result<(), AccountError> {
    service.accounts.log_in(Login::new(EMAIL, Secret::from(password)), service.now()).await.map(|_| ())
}

#[tokio::test]
async fn a_reset_ends_every_session_and_its_ticket() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    let id = service.register(EMAIL).await;
    let tokens = service.log_in(EMAIL).await;
    let (first, second) = (reset_ticket(&service, &mailbox).await, reset_ticket(&service, &mailbox).await);
    assert_eq!(service.ask("/", &tokens).await, 200, "asking alone does nothing");
    assert!(matches!(reset(&service, &first, "short").await, Err(AccountError::Weak(_))));
    reset(&service, &first, FRESH).await.unwrap();
    assert_eq!(service.ask("/", &tokens).await, 401);
    assert!(login(&service, PASSWORD).await.is_err());
    login(&service, FRESH).await.unwrap();
    for ticket in [&first, &second] {
        assert_eq!(reset(&service, ticket, "a third good password").await, Err(AccountError::Ticket));
    }
    let account = service.accounts.find(&id).await.unwrap();
    assert!(account.email_verified.is_some(), "whoever reads the mailbox has shown that they do");
}

#[tokio::test]
async fn keys_that_were_made_before_the_address_was_verified_end_with_the_first_reset() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    let id = service.register(EMAIL).await;
    for status in [KeyStatus::Revoked, KeyStatus::Active] {
        let made = service.keys.mint(NewKey::new("a key", &*id), service.now()).await.unwrap();
        let ticket = reset_ticket(&service, &mailbox).await;
        reset(&service, &ticket, &format!("{FRESH} {status:?}")).await.unwrap();
        assert_eq!(service.keys.find(&made.record.id).await.unwrap().status, status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_that_use_a_ticket_at_once_one_succeeds() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    service.register(EMAIL).await;
    let ticket = reset_ticket(&service, &mailbox).await;
    let service = Arc::new(service);
    let attempts: Vec<_> = (0..50)
        .map(|number| {
            let (service, ticket) = (Arc::clone(&service), ticket.clone());
            tokio::spawn(async move {
                let password = format!("a good password {number}");
                reset(&service, &ticket, &password).await.map(|()| password)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(password) => winners.push(password),
            Err(error) => assert_eq!(error, AccountError::Ticket),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    login(&service, &winners[0]).await.unwrap();
}

#[tokio::test]
async fn a_ticket_ends_with_its_time_and_with_what_it_stands_for() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    let id = service.register(EMAIL).await;
    let late = reset_ticket(&service, &mailbox).await;
    service.advance(Duration::from_mins(30));
    assert_eq!(reset(&service, &late, FRESH).await, Err(AccountError::Ticket));
    let changes = [
        AccountChange::Email(LoginName::fold("Ada@example.com").ok()),
        AccountChange::EndSessions,
        AccountChange::Disable,
    ];
    for change in changes {
        service.advance(Duration::from_hours(1));
        let ticket = reset_ticket(&service, &mailbox).await;
        service.accounts.change(&id, change.clone(), service.now()).await.unwrap();
        assert_eq!(reset(&service, &ticket, FRESH).await, Err(AccountError::Ticket), "{change:?}");
        let back = AccountChange::Email(LoginName::fold(EMAIL).ok());
        service.accounts.change(&id, back, service.now()).await.unwrap();
    }
    service.accounts.change(&id, AccountChange::Enable, service.now()).await.unwrap();
    login(&service, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn s4_who_asks_for_a_reset_learns_nothing_and_nobody_else_hears_of_it() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    let id = service.register(EMAIL).await;
    let source = |number: u8| Some(std::net::Ipv4Addr::new(192, 0, 2, number).into());
    let ask =
        async |name: &str, number| service.accounts.request_password_reset(name, source(number), service.now()).await;
    assert_eq!(ask("nobody@example.com", 1).await, Ok(()));
    assert_eq!(ask("\u{0}", 1).await, Ok(()));
    assert_eq!(mailbox.count(), 0);
    // three fit, and then the answer is the same
    for number in 0..9 {
        assert_eq!(ask(EMAIL, number).await, Ok(()));
        assert_eq!(ask("nobody@example.com", number).await, Ok(()));
    }
    assert_eq!(mailbox.count(), 3);
    login(&service, PASSWORD).await.unwrap();
    // whoever holds the mailbox up leaves it with a ticket that is good at any time
    service.advance(Duration::from_mins(20));
    ask(EMAIL, 20).await.unwrap();
    assert_eq!(mailbox.count(), 4);
    service.advance(Duration::from_hours(1));
    service.accounts.change(&id, AccountChange::Disable, service.now()).await.unwrap();
    assert_eq!(ask(EMAIL, 21).await, Ok(()));
    assert_eq!(mailbox.count(), 4, "nothing goes to an account that is switched off");
}

#[tokio::test]
async fn a_source_asks_for_so_many_messages_whatever_accounts_there_are() {
    let (service, _) = service(UnverifiedEmail::Accepted);
    service.register(EMAIL).await;
    let source = "192.0.2.1".parse().ok();
    for number in 0..20 {
        let name = format!("{number}@example.com");
        service.accounts.request_password_reset(&name, source, service.now()).await.unwrap();
    }
    for name in [EMAIL, "nobody@example.com"] {
        let refused = service.accounts.request_password_reset(name, source, service.now()).await.unwrap_err();
        let AccountError::Refused(Rejection::RateLimited(exceeded)) = refused else { panic!("{refused:?}") };
        assert!(exceeded.retry_after.is_some());
    }
}

#[tokio::test]
async fn an_address_is_verified_by_a_ticket_of_its_own() {
    let (service, mailbox) = service(UnverifiedEmail::Refused);
    let id = service.register(EMAIL).await;
    let account = service.accounts.find(&id).await.unwrap();
    service.accounts.welcome(&account, None, service.now()).await;
    let welcome = mailbox.newest();
    assert_eq!(welcome.kind, MessageKind::VerifyEmail);
    assert_eq!(login(&service, PASSWORD).await, Err(AccountError::Login(LoginFault::EmailNotVerified)));
    assert_eq!(
        login(&service, "wrong").await,
        Err(AccountError::Login(LoginFault::Credentials)),
        "told to whoever knows the password alone"
    );
    let verify = async |ticket: &Secret| service.accounts.verify_email(ticket, None, service.now()).await;
    let reset_instead = reset_ticket(&service, &mailbox).await;
    assert_eq!(verify(&reset_instead).await.unwrap_err(), AccountError::Ticket);
    assert_eq!(reset(&service, &welcome.ticket, FRESH).await, Err(AccountError::Ticket));
    verify(&welcome.ticket).await.unwrap();
    verify(&welcome.ticket).await.unwrap();
    login(&service, PASSWORD).await.unwrap();
    let account = service.accounts.find(&id).await.unwrap();
    let again = service.accounts.request_email_verification(&account, None, service.now()).await;
    assert!(matches!(again, Err(AccountError::State(_))));
}

#[tokio::test]
async fn whoever_may_not_log_in_yet_asks_for_another_ticket_by_password() {
    let (service, mailbox) = service(UnverifiedEmail::Refused);
    let id = service.register(EMAIL).await;
    let ask = async |password: &str| {
        let login = Login::new(EMAIL, Secret::from(password));
        service.accounts.request_email_verification_by_password(login, service.now()).await
    };
    assert_eq!(ask("wrong").await, Err(AccountError::Login(LoginFault::Credentials)));
    assert_eq!(mailbox.count(), 0);
    ask(PASSWORD).await.unwrap();
    let ticket = mailbox.newest().ticket;
    let other = AccountChange::Email(LoginName::fold("other@example.com").ok());
    service.accounts.change(&id, other, service.now()).await.unwrap();
    assert_eq!(
        service.accounts.verify_email(&ticket, None, service.now()).await.unwrap_err(),
        AccountError::Ticket,
        "the address has changed"
    );
}

#[tokio::test]
async fn s14_a_message_shows_no_ticket() {
    let (service, mailbox) = service(UnverifiedEmail::Accepted);
    service.register(EMAIL).await;
    let ticket = reset_ticket(&service, &mailbox).await;
    let shown = format!("{:?}", mailbox.newest());
    assert!(!shown.contains(ticket.expose_text().unwrap()), "{shown}");
}
