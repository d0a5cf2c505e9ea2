//! The configurations that come with the gateway.
//!
//! A profile is a file in the same language as everybody's, without privileges: `gateway profile NAME` prints it, so that
//! a configuration of one's own can start from it.

use std::path::Path;

use crate::config::{Config, Draft, Surroundings};
use crate::problem::Problem;

/// A configuration that comes with the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the command line calls it.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every profile.
pub const PROFILES: [Profile; 5] = [
    Profile { name: "standard", text: include_str!("../profiles/standard.toml") },
    Profile { name: "marketing", text: include_str!("../profiles/marketing.toml") },
    Profile { name: "vantage", text: include_str!("../profiles/vantage.toml") },
    Profile { name: "alianza", text: include_str!("../profiles/alianza.toml") },
    Profile { name: "musicgen", text: include_str!("../profiles/musicgen.toml") },
];

/// The names of profiles that are planned and not made yet.
pub const PLANNED: [&str; 1] = ["vagaro"];

impl Profile {
    /// The profile of that name.
    ///
    /// # Errors
    /// One line that says which names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        if let Some(profile) = PROFILES.into_iter().find(|profile| profile.name == name) {
            return Ok(profile);
        }
        let known: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        if PLANNED.contains(&name) {
            return Err(format!("the profile `{name}` is not made yet: there is {}", known.join(", ")));
        }
        Err(format!("there is no profile `{}`: there is {}", name.escape_debug(), known.join(", ")))
    }

    /// Reads the profile, with relative paths from the working directory.
    ///
    /// # Errors
    /// The problems of its text; there are none in a released gateway.
    pub fn load(self) -> Result<Config, Vec<Problem>> {
        self.draft().finish()
    }

    /// Reads the profile without deciding yet whether it is good.
    pub fn draft(self) -> Draft {
        Draft::read(self.text, &format!("{}.toml", self.name), Surroundings::of_process(Path::new("")))
    }
}
