//! What is made of the claims of a token that was found good.

use std::borrow::Cow;
use std::sync::Arc;

use super::claims::Registered;
use super::issuer::{Clients, Times, Trusted};
use super::mapping::{ClaimPath, ScopeShape, ScopeUse};
use crate::claims::Claims;
use crate::json::{Object, Value};
use crate::names::{Collector, Names};
use crate::network::NetworkSet;
use crate::principal::Identity;
use crate::rejection::CredentialFault;
use crate::shared_str::{SharedStr, place_in};

/// Stands before the subject of a client.
const CLIENT: &str = "client:";

impl Trusted {
    /// The identity that a token's claims stand for. The payload is copied once, and what is written without escapes
    /// is a part of that copy.
    pub(in crate::verify) fn identity(
        &self,
        payload: &str,
        members: Object<'_, '_>,
        claims: &Registered<'_>,
        times: &Times,
    ) -> Result<Arc<Identity>, CredentialFault> {
        let copy = Payload { text: payload, copy: payload.into() };
        let find = |path: &Option<ClaimPath>| path.as_ref().and_then(|path| path.find(members));
        // each claim goes to its place at once: moving it from result to result takes longer than finding it
        let mut identity = Identity::new(self.method, Arc::clone(&self.name), self.subject(claims, &copy)?);
        copy.put(&mut identity.credential_id, claims.jti)?;
        copy.put(&mut identity.tenant, find(&self.mapping.tenant))?;
        copy.put(&mut identity.plan, find(&self.mapping.plan))?;
        copy.put(&mut identity.session, find(&self.mapping.session))?;
        identity.scopes = self.scopes(members, &copy);
        identity.permissions = self.permissions(members, &identity.scopes, &copy);
        identity.roles = lists(found(&self.mapping.roles, members), &Names::EMPTY, &copy);
        identity.issued = times.issued;
        identity.expires = times.expires;
        identity.networks = networks(self.mapping.networks.as_ref(), members)?;
        identity.origins = self.origins(members)?;
        identity.claims = Claims::scanned(&copy.copy);
        Ok(Arc::new(identity))
    }

    /// RFC 9068 section 5: a client must not be taken for a user of the same name.
    fn subject(&self, claims: &Registered<'_>, copy: &Payload<'_>) -> Result<SharedStr, CredentialFault> {
        let subject = string(claims.sub.ok_or(CredentialFault::Claims)?)?;
        let client = claims.client_id.map(string).transpose()?;
        match self.clients {
            Clients::Marked if client.as_deref() == Some(&*subject) => Ok([CLIENT, &subject].concat().into()),
            Clients::Marked if subject.starts_with(CLIENT) => Err(CredentialFault::Claims),
            Clients::Marked | Clients::Unmarked => Ok(copy.shared(subject)),
        }
    }

    fn scopes(&self, members: Object<'_, '_>, copy: &Payload<'_>) -> Names {
        let Some(claim) = self.mapping.scopes.find(members) else { return Names::EMPTY };
        match (claim.as_str(), self.mapping.scope_shape) {
            (Some(scope), _) if claim.is_simple() => Names::spaced(copy.shared(scope)),
            (Some(scope), _) => Names::from_scope(&scope),
            (None, ScopeShape::DelimitedOrList) => lists([claim], &Names::EMPTY, copy),
            (None, ScopeShape::Delimited) => Names::EMPTY,
        }
    }

    fn permissions(&self, members: Object<'_, '_>, scopes: &Names, copy: &Payload<'_>) -> Names {
        let granted = match self.mapping.scope_use {
            ScopeUse::GrantPermissions => scopes,
            ScopeUse::KeptApart => &Names::EMPTY,
        };
        lists(found(&self.mapping.permissions, members), granted, copy)
    }
}

/// The payload as it was read, and the copy that the identity keeps.
struct Payload<'t> {
    text: &'t str,
    copy: Arc<str>,
}

impl Payload<'_> {
    /// Puts the name that a claim is into its place; leaves that empty where there is no such claim.
    #[inline]
    fn put(&self, place: &mut Option<SharedStr>, claim: Option<Value<'_>>) -> Result<(), CredentialFault> {
        let Some(claim) = claim else { return Ok(()) };
        *place = claim.plain().and_then(|name| SharedStr::part(&self.copy, place_in(name, self.text)?));
        if place.is_none() {
            *place = Some(self.shared(string(claim)?));
        }
        Ok(())
    }

    /// The part of the copy that is the same as this part of the text; a copy of its own where it is none.
    fn shared(&self, part: Cow<'_, str>) -> SharedStr {
        let place = match &part {
            Cow::Borrowed(part) => place_in(part, self.text),
            Cow::Owned(_) => None,
        };
        place.and_then(|place| SharedStr::part(&self.copy, place)).unwrap_or_else(|| part.into())
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

/// The networks that a token is bound to. A claim that cannot be read must not let the token pass from everywhere.
fn networks(path: Option<&ClaimPath>, members: Object<'_, '_>) -> Result<Option<Arc<NetworkSet>>, CredentialFault> {
    let Some(claim) = path.and_then(|path| path.find(members)) else { return Ok(None) };
    let mut texts = Vec::new();
    if !claim.visit_strings(|text| texts.push(text.decode().into_owned())) {
        return Err(CredentialFault::Claims);
    }
    let set = NetworkSet::parse(texts.iter().map(String::as_str)).map_err(|_| CredentialFault::Claims)?;
    Ok(Some(Arc::new(set)))
}

fn found<'t>(paths: &[ClaimPath], members: Object<'t, '_>) -> impl Iterator<Item = Value<'t>> {
    paths.iter().filter_map(move |path| path.find(members))
}

/// The names that are granted anyway and those of all claims that are arrays of strings (RFC 9068 section 2.2.3.1). Any
/// other claim counts for nothing, and so does an array with anything else in it.
fn lists<'t>(claims: impl IntoIterator<Item = Value<'t>>, granted: &Names, copy: &Payload<'_>) -> Names {
    let mut claims = claims.into_iter();
    let Some(first) = claims.next() else { return granted.clone() };
    let second = claims.next();
    if second.is_none() && first.is_simple() {
        let alone = if first.is_all_strings() { Names::quoted(copy.shared(first.raw().into())) } else { Names::EMPTY };
        // tokens of clients say the same as scope and as permissions; upstreams need not be told twice
        if granted.is_empty() || alone == *granted {
            return alone;
        }
    }
    let mut names = Collector::new();
    for name in granted.iter() {
        names.add_printable(name);
    }
    for claim in std::iter::once(first).chain(second).chain(claims) {
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
