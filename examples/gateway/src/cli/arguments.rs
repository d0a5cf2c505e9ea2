//! What the command line may say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, Parser, Subcommand};

use super::{
    Failure, One, Revoke, SetNetworks, SetPermissions, SetPlan, SigningKeysCommand, TenantsCommand, TokensCommand,
    TrustCommand, UsersCommand,
};
use crate::config::{self, Config, Draft};
use crate::data_dir::{DataDir, Owner};
use crate::profile::Profile;
use crate::start;

/// A gateway in front of any upstream: it authenticates, authorises, forwards.
///
/// Without arguments, it serves a demo on 127.0.0.1:8080.
///
/// SIGHUP makes it read its configuration file again; a change of the file is taken up by itself within three seconds.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Arguments {
    /// What to do; serving needs not be said.
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve; the default.
    Serve(Serve),
    /// Name every problem of a configuration: by file, line and key.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print a profile, to start a configuration from.
    Profile {
        /// The name of the profile.
        name: String,
    },
    /// Administrate API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Administrate users: those who have an account.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Administrate tenants: those who have users together.
    #[command(subcommand)]
    Tenants(TenantsCommand),
    /// Administrate partners: those whose signed word logs their users in.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Administrate the keys that sign the gateway's own tokens.
    #[command(subcommand)]
    SigningKeys(SigningKeysCommand),
    /// Administrate opaque tokens.
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Take back credentials of any kind: one, or everything of a session, a subject, a tenant or an issuer.
    Revoke(Revoke),
}

/// How to serve.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Where to listen, instead of where the configuration says; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// Whose configuration and data.
#[derive(Args, Clone, Debug)]
pub struct Whose {
    /// A configuration that comes with the gateway [default: standard].
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub profile: Option<String>,
    /// A configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder for keys, accounts and the gateway's own secrets.
    #[arg(long, value_name = "DIR", default_value = "gateway-data")]
    pub data_dir: PathBuf,
}

impl Whose {
    /// The configuration.
    ///
    /// # Errors
    /// There is no such profile, or the configuration has problems.
    pub fn configuration(&self) -> Result<Config, Failure> {
        start::check(self.draft()?)
    }

    fn draft(&self) -> Result<Draft, Failure> {
        match &self.config {
            Some(file) => Ok(Draft::read_file(file).map_err(|problem| vec![problem])?),
            None => Ok(self.named_profile().map_err(Failure::Usage)?.draft()),
        }
    }

    /// The configuration file and those whose content is part of it; none for a profile.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let Some(file) = &self.config else { return Vec::new() };
        let mut files = vec![file.clone()];
        if let Ok(draft) = self.draft() {
            files.extend_from_slice(&draft.config().files);
        }
        files
    }

    /// The name of the profile; `None` for a configuration file.
    pub fn profile_name(&self) -> Option<&str> {
        match self.config {
            Some(_) => None,
            None => Some(self.profile.as_deref().unwrap_or("standard")),
        }
    }

    /// The data directory, found or made.
    ///
    /// # Errors
    /// It is not for this profile or configuration.
    pub fn data_dir(&self, config: &Config) -> Result<DataDir, Failure> {
        let owner = Owner { profile: self.profile_name(), demo: config.demo.value };
        DataDir::open(&self.data_dir, owner).map_err(Failure::obstacle)
    }

    fn named_profile(&self) -> Result<Profile, String> {
        Profile::named(self.profile_name().unwrap_or_default())
    }
}

impl Serve {
    /// The configuration, with what the command line says otherwise.
    ///
    /// # Errors
    /// There is no such profile, or the configuration has problems.
    pub fn configuration(&self) -> Result<Config, Failure> {
        let mut draft = self.whose.draft()?;
        if let Some(listen) = self.listen {
            draft.config_mut().server.listen = listen;
        }
        start::check(draft)
    }
}

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown this once, alone on standard output.
    Create(Box<CreateKey>),
    /// Show a key.
    Show(One),
    /// Show which keys there are.
    List(ListKeys),
    /// Switch a key off until `enable`.
    Disable(One),
    /// Switch a key on again.
    Enable(One),
    /// Put a key on another plan.
    SetPlan(SetPlan),
    /// Let the bearer do this and nothing else.
    SetPermissions(SetPermissions),
    /// Allow the key from these networks alone.
    SetNetworks(SetNetworks),
    /// Take a key back for good.
    Revoke(RevokeKey),
    /// Replace a key by a new one with the same rights; for a while, both work.
    Rotate(RotateKey),
}

/// In which form to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl From<bool> for Output {
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// The key to make.
#[derive(Args, Debug)]
pub struct CreateKey {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// What to call the key.
    #[arg(long)]
    pub name: String,
    /// Whose key it is: the subject that upstreams see.
    #[arg(long)]
    pub owner: String,
    /// What the bearer may do; several times, or parted by commas.
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',')]
    pub permissions: Vec<String>,
    /// What the bearer is; several times, or parted by commas.
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// The tenant the bearer acts in.
    #[arg(long)]
    pub tenant: Option<String>,
    /// The plan that chooses the bearer's limits.
    #[arg(long)]
    pub plan: Option<String>,
    /// The environment the key opens; the gateway's own by default.
    #[arg(long)]
    pub environment: Option<String>,
    /// The networks the key may be used from; any by default. Several times, or parted by commas.
    #[arg(long = "network", value_name = "CIDR", value_delimiter = ',')]
    pub networks: Vec<String>,
    /// After how long the key ends, such as 90d; never by default.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires_in: Option<Duration>,
    /// What to say about the key.
    #[arg(long)]
    pub description: Option<String>,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The keys to show.
#[derive(Args, Debug)]
pub struct ListKeys {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Of one tenant alone.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The key to take back.
#[derive(Args, Debug)]
pub struct RevokeKey {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// The id of the key, as `list` shows it.
    pub id: String,
}

/// The key to replace.
#[derive(Args, Debug)]
pub struct RotateKey {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// The id of the key, as `list` shows it.
    pub id: String,
    /// For how long the old key still works.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub overlap: Duration,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    config::duration(text).ok_or_else(|| "write a number and one of ms, s, m, h, d, such as 24h".to_owned())
}
