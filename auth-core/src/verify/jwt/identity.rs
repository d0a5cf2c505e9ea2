//! What is made of the claims of a token that was found good.

use std::borrow::Cow;
use std::sync::Arc;

use super::claims::Registered;
use super::issuer::{Clients, Times, Trusted};
use super::mapping::{ClaimPath, ScopeShape, ScopeUse};
use crate::claims::Claims;
use crate::json::{Object, Value};
use crate::names::{Collector, Names};
use crate::principal::{Identity, Method};
use crate::rejection::CredentialFault;

/// Stands before the subject of a client.
const CLIENT: &str = "client:";

impl Trusted {
    /// The identity that a token's claims stand for; allocates what the identity owns, and nothing else.
    pub(super) fn identity(
        &self,
        payload: &str,
        members: Object<'_, '_>,
        claims: &Registered<'_>,
        times: &Times,
    ) -> Result<Identity, CredentialFault> {
        let subject = self.subject(claims)?;
        let credential_id = claims.jti.map(string).transpose()?;
        let text = |path: &Option<ClaimPath>| path.as_ref().and_then(|path| path.find(members)).map(string).transpose();
        let (tenant, plan) = (text(&self.mapping.tenant)?, text(&self.mapping.plan)?);

        let mut identity = Identity::new(Method::Jwt, Arc::clone(&self.name), subject);
        identity.tenant = tenant.map(Arc::from);
        identity.plan = plan.map(Arc::from);
        identity.credential_id = credential_id.map(Arc::from);
        identity.session = text(&self.mapping.session)?.map(Arc::from);
        identity.issued = times.issued;
        identity.expires = times.expires;
        identity.scopes = self.scopes(members);
        identity.permissions = self.permissions(members, &identity.scopes);
        identity.roles = lists(found(&self.mapping.roles, members), &Names::EMPTY);
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

    fn scopes(&self, members: Object<'_, '_>) -> Names {
        let Some(claim) = self.mapping.scopes.find(members) else { return Names::EMPTY };
        match (claim.as_str(), self.mapping.scope_shape) {
            (Some(scope), _) => Names::from_scope(&scope),
            (None, ScopeShape::DelimitedOrList) => lists([claim], &Names::EMPTY),
            (None, ScopeShape::Delimited) => Names::EMPTY,
        }
    }

    fn permissions(&self, members: Object<'_, '_>, scopes: &Names) -> Names {
        let granted = match self.mapping.scope_use {
            ScopeUse::GrantPermissions => scopes,
            ScopeUse::KeptApart => &Names::EMPTY,
        };
        lists(found(&self.mapping.permissions, members), granted)
    }
}

/// A claim that must be a text which can name something: not empty, and without control characters, which could forge
/// a line of a log or a header.
fn string(claim: Value<'_>) -> Result<Cow<'_, str>, CredentialFault> {
    let text = claim.as_str().ok_or(CredentialFault::Claims)?;
    if text.is_empty() || !claim.is_simple() && text.chars().any(char::is_control) {
        return Err(CredentialFault::Claims);
    }
    Ok(text)
}

fn found<'t>(paths: &[ClaimPath], members: Object<'t, '_>) -> impl Iterator<Item = Value<'t>> {
    paths.iter().filter_map(move |path| path.find(members))
}

/// The names that are granted anyway and those of all claims that are arrays of strings (RFC 9068 section 2.2.3.1). Any
/// other claim counts for nothing, and so does an array with anything else in it.
fn lists<'t>(claims: impl IntoIterator<Item = Value<'t>>, granted: &Names) -> Names {
    let mut claims = claims.into_iter().peekable();
    if claims.peek().is_none() {
        return granted.clone();
    }
    let mut names = Collector::new();
    for name in granted.iter() {
        names.add_printable(name);
    }
    for claim in claims {
        let mark = names.mark();
        let whole = claim.visit_strings(|name| match name.plain() {
            Some(plain) => names.add_printable(plain),
            None => names.add(&name.decode()),
        });
        if !whole {
            names.back_to(mark);
        }
    }
    names.finish()
}
