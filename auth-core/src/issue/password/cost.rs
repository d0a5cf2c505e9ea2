//! What a hash takes: memory, passes and lanes.

use argon2::Params;

use crate::ConfigError;

/// What one hash takes: how much memory, how often it is gone through, and in how many lanes.
///
/// The default is the first recommendation of OWASP's password storage cheat sheet that suits a server which hashes for
/// many: 19 MiB, two passes, one lane. That took 30 ms (median; 23 ms at best) on one of two shared virtual cores of an Intel
/// Xeon, by `cargo bench -p auth-core --features issue --bench password`: some thirty logins a second and core, and as many
/// guesses for whoever has the hashes and such a core. A change is noticed at the next login, which then hashes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Memory in KiB and passes: less of both than one of these is weaker than OWASP recommends.
const RECOMMENDED: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// A GiB for one login is a slip.
const MOST_MEMORY: u32 = 1 << 20;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;

impl PasswordCost {
    /// A cost of so many KiB of memory, passes and lanes.
    ///
    /// # Errors
    /// Less than OWASP recommends, which is one of 46 MiB once, 19 MiB twice, 12 MiB three, 9 MiB four or 7 MiB five
    /// times; more than a GiB, 64 passes or 16 lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, ConfigError> {
        if !RECOMMENDED.into_iter().any(|(memory, times)| memory_kib >= memory && passes >= times) {
            return Err(ConfigError::new(format!(
                "{memory_kib} KiB and {passes} passes make a password's hash too easy to guess at: write 19456 KiB and \
                 2 passes, or more"
            )));
        }
        Self::dangerously_weak(memory_kib, passes, lanes)
    }

    /// A cost that may be as small as argon2 allows, for tests: hashes of such a cost are guessed at quickly.
    ///
    /// # Errors
    /// Less than 8 KiB for each lane, no pass or no lane; more than a GiB, 64 passes or 16 lanes.
    pub fn dangerously_weak(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, ConfigError> {
        let is_too_much = memory_kib > MOST_MEMORY || passes > MOST_PASSES || lanes > MOST_LANES;
        if is_too_much || Params::new(memory_kib, passes, lanes, None).is_err() {
            return Err(ConfigError::new(format!(
                "a password's hash cannot take {memory_kib} KiB, {passes} passes and {lanes} lanes: write at least 8 KiB \
                 for each lane, and at most 1048576 KiB, {MOST_PASSES} passes and {MOST_LANES} lanes"
            )));
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// How much memory, in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// How often the memory is gone through.
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// In how many lanes, one after the other.
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// `None` cannot be: it was checked when the cost was made.
    pub(super) fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, None).ok()
    }

    /// The cost that a hash says it was made with, unless that is more than any that can be configured.
    pub(super) fn of(params: &Params) -> Option<Self> {
        Self::dangerously_weak(params.m_cost(), params.t_cost(), params.p_cost()).ok()
    }
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_what_owasp_recommends_is_the_least() {
        let default = PasswordCost::default();
        assert_eq!(PasswordCost::new(default.memory_kib(), default.passes(), default.lanes()), Ok(default));
        for (memory, passes) in RECOMMENDED {
            assert!(PasswordCost::new(memory, passes, 1).is_ok());
            assert!(PasswordCost::new(memory - 1, passes, 1).is_err(), "{memory}");
            assert!(PasswordCost::new(memory, passes - 1, 1).is_err(), "{memory}");
        }
        for (memory, passes, lanes) in
            [(8, 0, 1), (7, 1, 1), (8, 1, 2), (1 << 21, 2, 1), (19_456, 65, 1), (19_456, 2, 17)]
        {
            assert!(PasswordCost::dangerously_weak(memory, passes, lanes).is_err(), "{memory} {passes} {lanes}");
        }
        assert!(PasswordCost::dangerously_weak(8, 1, 1).is_ok());
    }
}
