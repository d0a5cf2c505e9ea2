//! What the command line may say of opaque tokens, and of what is taken back.

use std::time::Duration;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, Subcommand};

use super::arguments::parse_duration;
use super::{Output, Whose};

/// What to do with opaque tokens.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make a token; it is shown this once, alone on standard output.
    Create(Box<CreateToken>),
    /// Show which tokens there are.
    List(ListTokens),
    /// Take tokens back for good.
    Revoke(RevokeTokens),
}

/// The token to make.
#[derive(Args, Debug)]
pub struct CreateToken {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Whose token it is: the subject that upstreams see.
    #[arg(long)]
    pub subject: String,
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
    /// The session it belongs to; one of its own by default.
    #[arg(long)]
    pub session: Option<String>,
    /// After how long it ends, however much it is used.
    #[arg(long, value_name = "DURATION", default_value = "8h", value_parser = parse_duration)]
    pub lifetime: Duration,
    /// How long it may lie unused, a minute at least; as long as it lives by default.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub idle_limit: Option<Duration>,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The tokens to show.
#[derive(Args, Debug)]
pub struct ListTokens {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Which tokens.
    #[command(flatten)]
    pub which: WhichTokens,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The tokens to take back.
#[derive(Args, Debug)]
pub struct RevokeTokens {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Which tokens.
    #[command(flatten)]
    pub which: WhichTokens,
}

/// Which tokens are meant: exactly one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct WhichTokens {
    /// The token with this id.
    #[arg(long)]
    pub id: Option<String>,
    /// Those of one subject.
    #[arg(long)]
    pub subject: Option<String>,
    /// Those of one session.
    #[arg(long)]
    pub session: Option<String>,
}

/// What to take back.
#[derive(Args, Debug)]
pub struct Revoke {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// What.
    #[command(flatten)]
    pub what: Revoked,
    /// Who issued it or vouches for it; the gateway's own issuer by default.
    #[arg(long, value_name = "ISSUER")]
    pub issuer: Option<String>,
    /// Only what was issued before now, so that the caller can log in anew.
    #[arg(long)]
    pub issued_before_now: bool,
    /// For how long this is remembered: longer than what it takes back could live.
    #[arg(long, value_name = "DURATION", default_value = "366d", value_parser = parse_duration)]
    pub remember: Duration,
}

/// What is taken back: exactly one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Revoked {
    /// The token or key with this id.
    #[arg(long, value_name = "ID")]
    pub credential: Option<String>,
    /// Everything of one session.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Everything of one subject.
    #[arg(long)]
    pub subject: Option<String>,
    /// Everything that acts in one tenant, whoever issued it.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Everything of the issuer.
    #[arg(long)]
    pub all_of_issuer: bool,
    /// Everything, whoever issued it.
    #[arg(long)]
    pub everything: bool,
}
