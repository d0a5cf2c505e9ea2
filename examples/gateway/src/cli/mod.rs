//! The command line, shared by both gateways.
//!
//! | command | does |
//! |---|---|
//! | `gateway [serve] [--profile NAME \| --config FILE] [--listen ADDR] [--data-dir DIR]` | serves; without arguments, the demo |
//! | `gateway check --config FILE` | names every problem of a configuration |
//! | `gateway profile NAME` | prints a profile, to start from |
//! | `gateway keys create\|show\|list\|disable\|enable\|set-plan\|…\|revoke\|rotate` | administrates API keys |
//! | `gateway users create\|show\|list\|disable\|enable\|set-plan\|…\|reset-password\|end-sessions` | administrates users |
//! | `gateway tenants create\|show\|list\|disable\|enable\|set-plan\|set-networks` | administrates tenants |
//! | `gateway clients create\|show\|list\|disable\|enable\|rotate\|set-plan\|…\|delete` | administrates OAuth clients |
//! | `gateway trust add\|show\|list\|set-keys\|disable\|enable\|remove` | administrates partners whose word opens sessions |
//! | `gateway signing-keys rotate\|list` | lets another key sign the gateway's own tokens |
//! | `gateway tokens create\|list\|revoke` | administrates opaque tokens |
//! | `gateway revoke` | takes back credentials of any kind |
//!
//! It ends with 0 where it did what it was asked, with 2 where the command line or the configuration is wrong, and with
//! 1 where something else stands in the way. Answers go to standard output, everything else to standard error.

mod administration;
mod administration_arguments;
mod arguments;
mod client_arguments;
mod clients;
mod columns;
mod keys;
mod revoke;
mod signing_keys;
mod tenants;
mod token_arguments;
mod tokens;
mod trust;
mod users;

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

pub use administration_arguments::{
    CreateTenant, CreateUser, Linked, ListAll, ListUsers, One, PasswordFrom, ResetPassword, SetNetworks,
    SetPermissions, SetPlan, SigningKeysCommand, TenantsCommand, UsersCommand, WhichKeys,
};
pub use arguments::{Arguments, Command, CreateKey, KeysCommand, ListKeys, Output, RevokeKey, RotateKey, Serve, Whose};

pub use client_arguments::{
    ClientsCommand, CreateClient, ListClients, RotateClient, SetClientKeys, SetExpiry, SetGrants,
};
pub use trust::{AddPartner, SetKeys, TrustCommand};

pub use token_arguments::{CreateToken, ListTokens, Revoke, RevokeTokens, Revoked, TokensCommand, WhichTokens};

use crate::config::{Config, Draft};
use crate::messages::Courier;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::rounds::Rounds;
use crate::start::{self, Ready};
use crate::wiring::{self, Resources, Wired};
use columns::columns;
use keys::warn_of_unknown_permissions;

/// Why a command did not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The configuration is wrong: every problem. Exit status 2.
    Configuration(Vec<Problem>),
    /// The command line asks for something that is not there. Exit status 2.
    Usage(String),
    /// Something else stands in the way. Exit status 1.
    Obstacle(String),
}

impl Failure {
    /// Something other than the configuration that stands in the way.
    pub fn obstacle(why: impl fmt::Display) -> Self {
        Self::Obstacle(why.to_string())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Configuration(_) | Self::Usage(_) => 2,
            Self::Obstacle(_) => 1,
        }
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Configuration(problems)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::obstacle(error)
    }
}

/// One line for each problem.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problems) => {
                for (index, problem) in problems.iter().enumerate() {
                    if index > 0 {
                        f.write_str("\n")?;
                    }
                    problem.fmt(f)?;
                }
                Ok(())
            }
            Self::Usage(why) | Self::Obstacle(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}

/// Does what the command line of this process asks; `serve` is what the two gateways differ in.
pub fn run(serve: impl FnOnce(Ready) -> Result<(), Failure>) -> ExitCode {
    let outcome = match Arguments::parse().command() {
        Command::Serve(arguments) => Ready::prepare(&arguments).and_then(|ready| serve_with_rounds(ready, serve)),
        Command::Check { config } => check(&config),
        Command::Profile { name } => print_profile(&name),
        Command::Keys(command) => keys::run(&command),
        Command::Users(command) => users::run(&command),
        Command::Tenants(command) => tenants::run(&command),
        Command::Clients(command) => clients::run(&command),
        Command::Trust(command) => trust::run(&command),
        Command::SigningKeys(command) => signing_keys::run(&command),
        Command::Tokens(command) => tokens::run(&command),
        Command::Revoke(arguments) => revoke::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.status())
        }
    }
}

fn serve_with_rounds(mut ready: Ready, serve: impl FnOnce(Ready) -> Result<(), Failure>) -> Result<(), Failure> {
    let _log = std::mem::take(&mut ready.log);
    let _rounds = Rounds::start(ready.in_use(), ready.health.clone())?;
    let _courier = Courier::start(&ready.outbox())?;
    serve(ready)
}

/// The parts of a configuration, over a data directory that is there already.
fn open(whose: &Whose, config: &Config) -> Result<Wired, Failure> {
    if !whose.data_dir.is_dir() {
        return Err(Failure::Obstacle(format!("there is no data directory {}", whose.data_dir.display())));
    }
    open_or_make(whose, config)
}

/// The same, over one that is made where there is none.
fn open_or_make(whose: &Whose, config: &Config) -> Result<Wired, Failure> {
    let data_dir = whose.data_dir(config)?;
    let resources = Resources::open(config, &data_dir).map_err(Failure::obstacle)?;
    Ok(wiring::wire(config, resources)?)
}

fn check(file: &Path) -> Result<(), Failure> {
    start::check(Draft::read_file(file).map_err(|problem| vec![problem])?)?;
    say(&format!("{}: good\n", file.display()))
}

fn print_profile(name: &str) -> Result<(), Failure> {
    say(Profile::named(name).map_err(Failure::Usage)?.text)
}

/// Writes an answer to standard output. Who reads no further, like `head`, has what was wanted.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::obstacle(error)),
        _ => Ok(()),
    }
}
