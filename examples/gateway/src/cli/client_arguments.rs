//! What the command line may say of OAuth clients.

use std::path::PathBuf;
use std::time::Duration;

use auth_core::client::Grant;
use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, Subcommand};

use super::arguments::parse_duration;
use super::{ListAll, One, Output, SetNetworks, SetPermissions, SetPlan, Whose};

/// What to do with OAuth clients.
#[derive(Debug, Subcommand)]
pub enum ClientsCommand {
    /// Make a client; its id and its secret are shown this once, a line each on standard output.
    Create(Box<CreateClient>),
    /// Show a client.
    Show(One),
    /// Show which clients there are.
    List(ListClients),
    /// Switch a client off until `enable`: it gets no tokens, and those it has are refused.
    Disable(One),
    /// Switch a client on again; tokens from before stay refused.
    Enable(One),
    /// Give a client another secret; for a while, both work. Without an overlap its tokens end, too.
    Rotate(RotateClient),
    /// Put a client on another plan.
    SetPlan(SetPlan),
    /// Let a client do this and nothing else.
    SetPermissions(SetPermissions),
    /// Allow a client from these networks alone.
    SetNetworks(SetNetworks),
    /// Let a client ask for tokens with these grants and no others.
    SetGrants(SetGrants),
    /// Give a client the public keys that it signs with instead of sending a secret.
    SetKeys(SetClientKeys),
    /// Let a client end.
    SetExpiry(SetExpiry),
    /// Remove a client without a trace; the tokens it has are refused.
    Delete(One),
}

/// The client to make.
#[derive(Args, Debug)]
pub struct CreateClient {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// What to call the client.
    #[arg(long)]
    pub name: String,
    /// The id it shall have; made up by default.
    #[arg(long)]
    pub id: Option<String>,
    /// What the client may do; several times, or parted by commas.
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',')]
    pub permissions: Vec<String>,
    /// What the client may ask tokens for: `client_credentials` by default. Several times, or parted by commas.
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',', value_parser = parse_grant)]
    pub grants: Vec<Grant>,
    /// The tenant the client acts in.
    #[arg(long)]
    pub tenant: Option<String>,
    /// The plan that chooses the client's limits.
    #[arg(long)]
    pub plan: Option<String>,
    /// The environment the client belongs to; the gateway's own by default.
    #[arg(long)]
    pub environment: Option<String>,
    /// The networks the client may be used from; any by default. Several times, or parted by commas.
    #[arg(long = "network", value_name = "CIDR", value_delimiter = ',')]
    pub networks: Vec<String>,
    /// After how long the client ends, such as 90d; never by default.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires_in: Option<Duration>,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The clients to show.
#[derive(Args, Debug)]
pub struct ListClients {
    /// Which.
    #[command(flatten)]
    pub all: ListAll,
    /// Of one tenant alone.
    #[arg(long)]
    pub tenant: Option<String>,
}

/// Another secret.
#[derive(Args, Debug)]
pub struct RotateClient {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// For how long the secret before it still works; as the configuration says by default. `0s` ends it at once, and the
    /// tokens that the client has with it.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub overlap: Option<Duration>,
}

/// Other grants.
#[derive(Args, Debug)]
pub struct SetGrants {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// What the client may ask tokens for; several times, or parted by commas.
    #[arg(
        long = "grant",
        value_name = "GRANT",
        value_delimiter = ',',
        value_parser = parse_grant,
        required_unless_present = "none",
        conflicts_with = "none"
    )]
    pub grants: Vec<Grant>,
    /// Nothing.
    #[arg(long)]
    pub none: bool,
}

/// Other public keys.
#[derive(Args, Debug)]
pub struct SetClientKeys {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// A file with the JWK set of its public keys.
    #[arg(long, value_name = "FILE", required_unless_present = "none", conflicts_with = "none")]
    pub jwks_file: Option<PathBuf>,
    /// None.
    #[arg(long)]
    pub none: bool,
}

/// Another end.
#[derive(Args, Debug)]
pub struct SetExpiry {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// After how long the client ends, counted from now; `0s` ends it at once.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, required_unless_present = "never",
        conflicts_with = "never")]
    pub expires_in: Option<Duration>,
    /// Never.
    #[arg(long)]
    pub never: bool,
}

fn parse_grant(text: &str) -> Result<Grant, String> {
    Grant::from_name(text).ok_or_else(|| format!("write some of {}", Grant::ALL.map(Grant::as_str).join(", ")))
}
