//! What a token comes of that is made of others.

use std::sync::Arc;

use crate::origin::Origin;
use crate::principal::Identity;

use super::ClientError;

/// Of how many one token may be made: a token has to fit into a header.
const MOST_ORIGINS: usize = 24;

/// What a token comes of that is made of others: these, what they came of themselves, and who asked for it.
pub(super) fn origins<'i>(
    made_of: impl Iterator<Item = &'i Identity>,
    asked: Origin,
) -> Result<Vec<Origin>, ClientError> {
    let mut origins: Vec<Origin> = Vec::new();
    for one in made_of {
        origins.extend(one.origins.iter().flat_map(|origins| origins.iter().cloned()));
        let mut origin = Origin::new(Arc::clone(&one.issuer), &*one.subject);
        origin.credential_id = one.credential_id.as_deref().map(Arc::from);
        origin.session = one.session.as_deref().map(Arc::from);
        origin.issued = one.issued;
        origins.push(origin);
    }
    origins.push(asked);
    // whoever asked before was there before: what ends that ends this
    let mut different: Vec<Origin> = Vec::new();
    for origin in origins {
        if !different.iter().any(|other| ends_with(&origin, other)) {
            different.push(origin);
        }
    }
    if different.len() > MOST_ORIGINS {
        return Err(ClientError::Exchange("too many exchanges behind each other"));
    }
    Ok(different)
}

/// Whether whatever takes back the one takes back the other.
fn ends_with(one: &Origin, other: &Origin) -> bool {
    let is_same = |mine: &Option<Arc<str>>, theirs: &Option<Arc<str>>| mine.is_none() || mine == theirs;
    one.issuer == other.issuer
        && one.subject == other.subject
        && is_same(&one.credential_id, &other.credential_id)
        && is_same(&one.session, &other.session)
        // none is older than everything
        && other.issued <= one.issued
}
