//! What is made of the claims of a token that was found good.

use std::borrow::Cow;
use std::sync::Arc;

use super::claims::Registered;
use super::issuer::{Clients, Trusted};
use super::mapping::{ClaimPath, ScopeShape, ScopeUse};
use crate::claims::Claims;
use crate::clock::Timestamp;
use crate::json::{Object, Value};
use crate::names::Names;
use crate::principal::{Identity, Method};
use crate::rejection::CredentialFault;

/// Stands before the subject of a client.
const CLIENT: &str = "client:";

impl Trusted {
    /// The identity that a token's claims stand for; allocates what the identity owns, and nothing else.
    pub(super) fn identity(
        &self,
        payload: &str,
        members: &Object<'_>,
        claims: &Registered<'_>,
        expires: Option<Timestamp>,
    ) -> Result<Identity, CredentialFault> {
        let subject = self.subject(claims)?;
        let credential_id = claims.jti.map(string).transpose()?;
        let text = |path: &Option<ClaimPath>| path.as_ref().and_then(|path| path.find(members)).map(string).transpose();
        let (tenant, plan) = (text(&self.mapping.tenant)?, text(&self.mapping.plan)?);

        let mut identity = Identity::new(Method::Jwt, Arc::clone(&self.name), subject);
        identity.tenant = tenant.map(Arc::from);
        identity.plan = plan.map(Arc::from);
        identity.credential_id = credential_id.map(Arc::from);
        identity.expires = expires;
        identity.scopes = self.scopes(members);
        identity.permissions = self.permissions(members, &identity.scopes);
        identity.roles = lists(&self.mapping.roles, members).collect();
        identity.claims = Claims::scanned(payload);
        Ok(identity)
    }

    /// RFC 9068 section 5: a client must not be taken for a user of the same name.
    fn subject(&self, claims: &Registered<'_>) -> Result<Arc<str>, CredentialFault> {
        let subject = string(claims.sub.ok_or(CredentialFault::Claims)?)?;
        let client = claims.client_id.map(string).transpose()?;
        match self.clients {
            Clients::Marked if client.as_deref() == Some(&*subject) => Ok([CLIENT, &subject].concat().into()),
            Clients::Marked if subject.starts_with(CLIENT) => Err(CredentialFault::Claims),
            Clients::Marked | Clients::Unmarked => Ok(subject.into()),
        }
    }

    fn scopes(&self, members: &Object<'_>) -> Names {
        let Some(claim) = self.mapping.scopes.find(members) else { return Names::EMPTY };
        match (claim.as_str(), self.mapping.scope_shape) {
            (Some(scope), _) => Names::from_scope(&scope),
            (None, ScopeShape::DelimitedOrList) => strings(claim).into_iter().flatten().collect(),
            (None, ScopeShape::Delimited) => Names::EMPTY,
        }
    }

    fn permissions(&self, members: &Object<'_>, scopes: &Names) -> Names {
        let mut listed = lists(&self.mapping.permissions, members).peekable();
        match self.mapping.scope_use {
            ScopeUse::GrantPermissions if listed.peek().is_none() => scopes.clone(),
            ScopeUse::GrantPermissions => scopes.iter().map(Cow::Borrowed).chain(listed).collect(),
            ScopeUse::KeptApart => listed.collect(),
        }
    }
}

/// A claim that must be a text which can name something: not empty, and without control characters, which could forge
/// a line of a log or a header.
fn string(claim: Value<'_>) -> Result<Cow<'_, str>, CredentialFault> {
    let text = claim.as_str().ok_or(CredentialFault::Claims)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(CredentialFault::Claims);
    }
    Ok(text)
}

fn lists<'t>(paths: &[ClaimPath], members: &Object<'t>) -> impl Iterator<Item = Cow<'t, str>> {
    paths.iter().filter_map(|path| path.find(members)).filter_map(strings).flatten()
}

/// The items of an array of strings (RFC 9068 section 2.2.3.1); nothing of any other value.
fn strings(claim: Value<'_>) -> Option<impl Iterator<Item = Cow<'_, str>>> {
    let items = claim.items()?;
    items.clone().all(|item| item.as_text().is_some()).then(|| items.filter_map(Value::as_str))
}
