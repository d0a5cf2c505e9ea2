//! What a store of clients promises.

use std::sync::Arc;

use crate::client::{ClientChange, ClientRecord, ClientSecret, Grant};
use crate::network::NetworkSet;
use crate::store::{ClientScope, ClientStore, Removal};

use super::races::{at_once, one_won};
use super::{Kept, Violation, answer, at, digest, good, same};

type Check = fn(&Arc<dyn ClientStore>) -> Kept;

const ALL: &[Check] = &[
    everything_is_kept,
    ids_are_unique,
    lists_go_by_age_and_page,
    changes_change_what_they_say,
    deleted_clients_are_gone,
    one_of_many_inserts_succeeds,
    one_of_many_rotations_succeeds,
    many_changes_at_once_lose_none,
];

/// Runs every check of a store of clients, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryClientStore, conformance};
///
/// conformance::check_clients(|| Arc::new(MemoryClientStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_clients(mut empty_store: impl FnMut() -> Arc<dyn ClientStore>) -> Result<(), Violation> {
    ALL.iter().try_for_each(|check| check(&empty_store()))
}

fn secret(number: u8, created: i64) -> ClientSecret {
    ClientSecret::new(digest(number), "pepper", at(created))
}

/// A client with something in every field.
fn client(number: u8) -> Result<ClientRecord, Violation> {
    let broken = |error: crate::ConfigError| Violation { promise: "networks are read", instead: error.to_string() };
    let mut client = ClientRecord::new(format!("client {number}"), at(i64::from(number)));
    client.name = "A client".into();
    client.tenant = Some(format!("tenant {}", number % 2).into());
    client.environment = Some("production".into());
    client.plan = Some("pro".into());
    client.permissions = ["read", "write"].into_iter().collect();
    client.networks = Some(Arc::new(NetworkSet::parse(["192.0.2.0/24", "2001:db8::/32"]).map_err(broken)?));
    client.grants = [Grant::ClientCredentials, Grant::TokenExchange].into_iter().collect();
    client.secrets = vec![secret(number, 0)];
    client.public_keys = Some(r#"{"keys":[]}"#.into());
    client.expires = Some(at(10_000));
    Ok(client)
}

fn everything_is_kept(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "a client is read as it was written";
    let mut wanted = client(1)?;
    wanted.secrets.push(ClientSecret { ends: Some(at(5)), ..secret(9, 1) });
    good(promise, store.insert(wanted.clone()))?;
    same(promise, &good(promise, store.by_id("client 1"))?.as_deref(), &Some(&wanted))?;
    good(promise, store.insert(ClientRecord::new("bare", at(2))))?;
    same(promise, &good(promise, store.by_id("bare"))?.as_deref(), &Some(&ClientRecord::new("bare", at(2))))?;
    same("nobody is there who was not added", &good(promise, store.by_id("CLIENT 1"))?, &None)
}

fn ids_are_unique(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "an id is one client's, and the first one keeps it";
    good(promise, store.insert(client(1)?))?;
    let other = ClientRecord { name: "Another".into(), secrets: vec![secret(7, 0)], ..client(1)? };
    let refused = answer(store.insert(other));
    same(promise, &refused, &Err(crate::StoreError::Conflict))?;
    same(promise, &good(promise, store.by_id("client 1"))?.as_deref(), &Some(&client(1)?))
}

fn lists_go_by_age_and_page(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "clients are listed by age, page by page";
    for number in [3, 1, 2, 4] {
        good(promise, store.insert(client(number)?))?;
    }
    let ids = |scope: &ClientScope, after: Option<&str>, limit| {
        let found = good(promise, store.list(scope, after, limit))?;
        Ok::<_, Violation>(found.iter().map(|client| client.id.to_string()).collect::<Vec<_>>())
    };
    let numbered = |numbers: &[u8]| numbers.iter().map(|number| format!("client {number}")).collect::<Vec<_>>();
    same(promise, &ids(&ClientScope::All, None, 10)?, &numbered(&[1, 2, 3, 4]))?;
    same(promise, &ids(&ClientScope::All, Some("client 1"), 2)?, &numbered(&[2, 3]))?;
    same(promise, &ids(&ClientScope::All, Some("nobody"), 2)?, &numbered(&[]))?;
    same(promise, &ids(&ClientScope::Tenant("tenant 1".into()), None, 10)?, &numbered(&[1, 3]))?;
    same(promise, &ids(&ClientScope::Tenant("tenant 1".into()), Some("client 1"), 10)?, &numbered(&[3]))
}

fn changes_change_what_they_say(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "a change changes what it says and nothing else";
    let mut expected = client(1)?;
    good(promise, store.insert(expected.clone()))?;
    for change in [
        ClientChange::Name("Another".into()),
        ClientChange::Plan(None),
        ClientChange::Permissions(["read"].into_iter().collect()),
        ClientChange::Networks(None),
        ClientChange::Grants([Grant::RefreshToken].into_iter().collect()),
        ClientChange::PublicKeys(None),
        ClientChange::Expiry(Some(at(77))),
        ClientChange::Disable,
        ClientChange::Enable,
        ClientChange::Rotate { secret: secret(2, 10), overlap_end: at(20) },
        ClientChange::TokensFrom(at(30)),
        ClientChange::TokensFrom(at(29)),
        ClientChange::Used(at(40)),
        ClientChange::Used(at(39)),
    ] {
        let applied = change.clone().apply(&mut expected);
        same(promise, &applied, &Ok(()))?;
        same(promise, &good(promise, store.change("client 1", change))?.as_ref(), &Some(&expected))?;
        same(promise, &good(promise, store.by_id("client 1"))?.as_deref(), &Some(&expected))?;
    }
    same(promise, &good(promise, store.change("nobody", ClientChange::Disable))?, &None)
}

fn deleted_clients_are_gone(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "a client that was deleted is gone, and its secrets with it";
    good(promise, store.insert(client(1)?))?;
    same(promise, &good(promise, store.delete("client 1"))?, &Removal::Removed)?;
    same(promise, &good(promise, store.delete("client 1"))?, &Removal::Absent)?;
    good(promise, store.insert(ClientRecord::new("client 1", at(0))))?;
    let found = good(promise, store.by_id("client 1"))?;
    same(promise, &found.map(|client| client.secrets.clone()), &Some(Vec::new()))
}

fn one_of_many_inserts_succeeds(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "of many clients with one id, one is added";
    let wanted = client(1)?;
    let inserted =
        at_once(|number| answer(store.insert(ClientRecord { secrets: vec![secret(number, 0)], ..wanted.clone() })));
    one_won(promise, &inserted)?;
    let found = good(promise, store.by_id("client 1"))?;
    same(promise, &found.map(|client| client.secrets.len()), &Some(1))
}

fn one_of_many_rotations_succeeds(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "of many rotations of one client, one succeeds, and the secret before it works on";
    good(promise, store.insert(client(100)?))?;
    let rotated = at_once(|number| {
        let change = ClientChange::Rotate { secret: secret(number, 10), overlap_end: at(100) };
        answer(store.change("client 100", change))
    });
    one_won(promise, &rotated)?;
    let secrets = good(promise, store.by_id("client 100"))?.map(|client| client.secrets.clone()).unwrap_or_default();
    same(promise, &secrets.iter().map(|secret| secret.ends).collect::<Vec<_>>(), &vec![None, Some(at(100))])?;
    same(promise, &secrets.last().map(|secret| secret.digest), &Some(digest(100)))
}

fn many_changes_at_once_lose_none(store: &Arc<dyn ClientStore>) -> Kept {
    let promise = "changes of different things at one moment are all there afterwards";
    good(promise, store.insert(client(1)?))?;
    let changed = at_once(|number| {
        answer(store.change(
            "client 1",
            match number % 4 {
                0 => ClientChange::Disable,
                1 => ClientChange::Plan(Some("free".into())),
                2 => ClientChange::Used(at(i64::from(number))),
                _ => ClientChange::Name("Renamed".into()),
            },
        ))
    });
    same(promise, &changed.iter().filter(|result| matches!(result, Ok(Some(_)))).count(), &changed.len())?;
    let mut expected = client(1)?;
    expected.name = "Renamed".into();
    expected.plan = Some("free".into());
    expected.status = crate::client::ClientStatus::Disabled;
    expected.last_used = Some(at(14));
    same(promise, &good(promise, store.by_id("client 1"))?.as_deref(), &Some(&expected))
}
