//! What the command line may say.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Failure;
use crate::config::{self, Config};
use crate::profile::Profile;

/// A gateway in front of any upstream: it authenticates, authorises, forwards.
///
/// Without arguments, it serves a demo on 127.0.0.1:8080.
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
}

/// How to serve.
#[derive(Args, Debug)]
pub struct Serve {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Where to listen, instead of where the configuration says; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// Whose configuration and data.
#[derive(Args, Debug)]
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
        match &self.config {
            Some(file) => Ok(config::load_file(file)?),
            None => Ok(Profile::named(self.profile_name()).map_err(Failure::Usage)?.load()?),
        }
    }

    fn profile_name(&self) -> &str {
        self.profile.as_deref().unwrap_or("standard")
    }
}

impl Serve {
    /// The configuration, with what the command line says otherwise.
    ///
    /// # Errors
    /// There is no such profile, or the configuration has problems.
    pub fn configuration(&self) -> Result<Config, Failure> {
        let mut config = self.whose.configuration()?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        Ok(config)
    }
}

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown this once.
    Create,
}
