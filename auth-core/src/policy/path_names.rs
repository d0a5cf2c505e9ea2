//! The path parameters that a rule compares with its caller.

use std::borrow::Cow;

use matchit::Params;

use crate::ConfigError;

use super::path::decode_parameter;

/// How many different parameters one rule may compare: a tenant, something of the tenant's, and a person.
const MOST: usize = 3;

/// One of the parameters that a rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// Which parameters of its pattern a rule compares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compared {
    /// Their places in the pattern, from left to right.
    places: [Option<usize>; MOST],
}

/// The path parameters that the rule of a request compares with its caller, decoded.
#[derive(Clone, Debug, Default)]
pub struct PathNames<'p>([Option<Cow<'p, str>>; MOST]);

impl Compared {
    /// The parameter of that name, from now on among those that are compared.
    pub(super) fn slot(&mut self, name: &str, parameters: &[String]) -> Result<Slot, ConfigError> {
        let place = parameters.iter().position(|parameter| parameter == name).ok_or_else(|| {
            ConfigError::new(format!("`{{{name}}}` is compared, which the pattern does not have as a parameter"))
        })?;
        let free = self.places.iter().position(|taken| taken.is_none_or(|taken| taken == place));
        let free = free.ok_or_else(|| {
            ConfigError::new(format!("a rule compares at most {MOST} path parameters, and `{{{name}}}` is one more"))
        })?;
        self.places[free] = Some(place);
        Ok(Slot(free))
    }

    /// The parameters of a path as it was sent. One that does not decode is like none.
    pub(super) fn of<'p>(&self, params: &Params<'_, 'p>) -> PathNames<'p> {
        let mut names = PathNames::default();
        for (name, place) in names.0.iter_mut().zip(self.places) {
            let Some(place) = place else { break };
            *name = params.iter().nth(place).and_then(|(_, value)| decode_parameter(value));
        }
        names
    }
}

impl PathNames<'_> {
    pub(super) fn at(&self, slot: Slot) -> Option<&str> {
        self.0.get(slot.0)?.as_deref()
    }

    /// The same, for a decision that outlives the request's head.
    pub(crate) fn into_owned(self) -> PathNames<'static> {
        PathNames(self.0.map(|name| name.map(|name| Cow::Owned(name.into_owned()))))
    }
}
