//! What a request costs. Borrowed: describing a charge allocates nothing.

use std::slice;

use super::{Facts, Limit};
use crate::ConfigError;

/// How many budgets one request may be charged against; it bounds what one step of a store locks.
pub const MAX_CHARGES: usize = 8;

/// What one budget of a limit is asked for; made by [`Limit::charge`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is taken before a store is asked"]
pub struct Charge<'a> {
    /// The limit that the budget is one of. It says what the budget belongs to and how much it holds.
    pub limit: &'a Limit,
    /// How many units. Zero asks and takes nothing.
    pub units: u32,
}

/// All that one request is charged for: at most [`MAX_CHARGES`], spent in one step.
///
/// It borrows everything: copying what it speaks of would cost as much as spending it.
#[derive(Clone, Copy, Debug)]
pub struct Charges<'a> {
    facts: &'a Facts<'a>,
    all: All<'a>,
}

#[derive(Clone, Copy, Debug)]
enum All<'a> {
    Charges(&'a [Charge<'a>]),
    /// Each limit once, for so many units.
    Limits(&'a [Limit], u32),
}

impl<'a> Charges<'a> {
    /// These charges of one request.
    ///
    /// # Errors
    /// More than [`MAX_CHARGES`].
    #[inline]
    pub fn new(facts: &'a Facts<'a>, charges: &'a [Charge<'a>]) -> Result<Self, ConfigError> {
        if charges.len() > MAX_CHARGES {
            return Err(ConfigError::new(format!(
                "a request is charged against at most {MAX_CHARGES} budgets, not {}: leave some out",
                charges.len()
            )));
        }
        Ok(Self { facts, all: All::Charges(charges) })
    }

    /// A single charge.
    pub(crate) fn single(facts: &'a Facts<'a>, charge: &'a Charge<'a>) -> Self {
        Self { facts, all: All::Charges(slice::from_ref(charge)) }
    }

    /// The first [`MAX_CHARGES`] limits.
    pub(super) fn of_limits(facts: &'a Facts<'a>, limits: &'a [Limit], units: u32) -> Self {
        Self { facts, all: All::Limits(limits.get(..MAX_CHARGES).unwrap_or(limits), units) }
    }

    /// Whose charges they are.
    pub const fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// How many they are.
    pub const fn len(&self) -> usize {
        match self.all {
            All::Charges(charges) => charges.len(),
            All::Limits(limits, _) => limits.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The charge at a place; the first is at 0.
    #[inline]
    pub fn at(&self, place: usize) -> Option<Charge<'a>> {
        match self.all {
            All::Charges(charges) => charges.get(place).copied(),
            All::Limits(limits, units) => limits.get(place).map(|limit| limit.charge(units)),
        }
    }

    /// The charges, in their order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Charge<'a>> + use<'a> {
        let these = *self;
        (0..self.len()).filter_map(move |place| these.at(place))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;

    #[test]
    fn there_is_room_for_eight() {
        let (facts, limit) = (Facts::default(), Limit::new("", "1/s".parse().unwrap(), Scope::EVERYBODY));
        assert_eq!(Charges::new(&facts, &[limit.charge(1); 8]).unwrap().len(), 8);
        assert!(Charges::new(&facts, &[limit.charge(1); 9]).unwrap_err().to_string().contains("at most 8"));
    }
}
