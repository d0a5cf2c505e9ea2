//! What the command line may say of users and tenants, and of what is changed about them and about keys.

use std::path::PathBuf;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, Subcommand};

use super::{Output, Whose};

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make a user; a password that is made up is shown this once, alone on standard output.
    Create(Box<CreateUser>),
    /// Show a user.
    Show(One),
    /// Show which users there are.
    List(ListUsers),
    /// Switch a user off: sessions end, keys are refused, until `enable`.
    Disable(One),
    /// Switch a user on again, with the keys that were good before; sessions stay ended.
    Enable(One),
    /// Put a user on another plan, with the keys that had the one before.
    SetPlan(SetPlan),
    /// Let a user do this and nothing else, and the keys no more than that.
    SetPermissions(SetPermissions),
    /// Allow logins of a user from these networks alone.
    SetNetworks(SetNetworks),
    /// Give a user another password, and end the sessions.
    ResetPassword(ResetPassword),
    /// End every session of a user.
    EndSessions(One),
    /// Ask for no second factor of a user any more, whose app and recovery codes are lost; the sessions end.
    RemoveSecondFactor(One),
    /// Let somebody at the OpenID provider be this user.
    Link(Linked),
    /// Let somebody at the OpenID provider be this user no longer.
    Unlink(Linked),
    /// Show who a user is elsewhere.
    Links(One),
}

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantsCommand {
    /// Make a tenant.
    Create(Box<CreateTenant>),
    /// Show a tenant.
    Show(One),
    /// Show which tenants there are.
    List(ListAll),
    /// Switch a tenant off: nobody of it logs in or refreshes, tokens and keys are refused, until `enable`.
    Disable(One),
    /// Switch a tenant on again. Refresh tokens and keys are good again; access tokens from before are not.
    Enable(One),
    /// Put a tenant on another plan, with the keys of its users that had the one before.
    SetPlan(SetPlan),
    /// Allow logins of the tenant's users from these networks alone.
    SetNetworks(SetNetworks),
}

/// What to do with the keys that sign the gateway's own tokens, or its assertions to upstreams.
#[derive(Debug, Subcommand)]
pub enum SigningKeysCommand {
    /// Let a new key sign from now on. The one before it verifies for as long as its tokens live; a gateway that serves
    /// takes the new one up within three seconds.
    Rotate(WhichKeys),
    /// Show which keys there are: the one that signs, and those that only verify.
    List(WhichKeys),
}

/// Which keys that sign.
#[derive(Args, Debug)]
pub struct WhichKeys {
    /// Of which gateway.
    #[command(flatten)]
    pub all: ListAll,
    /// Those of assertions to upstreams, instead of those of access tokens.
    #[arg(long)]
    pub assertions: bool,
}

/// One user, tenant or key.
#[derive(Args, Debug)]
pub struct One {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// The id, as `list` shows it; for a user, the address or user name as well.
    pub id: String,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// All of them.
#[derive(Args, Debug)]
pub struct ListAll {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// The users to show.
#[derive(Args, Debug)]
pub struct ListUsers {
    /// Which.
    #[command(flatten)]
    pub all: ListAll,
    /// Of one tenant alone.
    #[arg(long)]
    pub tenant: Option<String>,
}

/// Another plan.
#[derive(Args, Debug)]
pub struct SetPlan {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// The plan.
    #[arg(required_unless_present = "none", conflicts_with = "none")]
    pub plan: Option<String>,
    /// None of its own: the tenant's, or the default.
    #[arg(long)]
    pub none: bool,
}

/// Other permissions.
#[derive(Args, Debug)]
pub struct SetPermissions {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// What is permitted; several times, or parted by commas.
    #[arg(
        long = "permission",
        value_name = "PERMISSION",
        value_delimiter = ',',
        required_unless_present = "none",
        conflicts_with = "none"
    )]
    pub permissions: Vec<String>,
    /// Nothing.
    #[arg(long)]
    pub none: bool,
}

/// Other networks.
#[derive(Args, Debug)]
pub struct SetNetworks {
    /// For what.
    #[command(flatten)]
    pub one: One,
    /// The networks; several times, or parted by commas.
    #[arg(
        long = "network",
        value_name = "CIDR",
        value_delimiter = ',',
        required_unless_present = "any",
        conflicts_with = "any"
    )]
    pub networks: Vec<String>,
    /// Any network.
    #[arg(long)]
    pub any: bool,
}

/// The user to make.
#[derive(Args, Debug)]
pub struct CreateUser {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// The address to log in with.
    #[arg(long, required_unless_present = "user_name")]
    pub email: Option<String>,
    /// The user name to log in with.
    #[arg(long)]
    pub user_name: Option<String>,
    /// What the person is called.
    #[arg(long)]
    pub name: Option<String>,
    /// The tenant that the user belongs to.
    #[arg(long, conflicts_with = "own_tenant")]
    pub tenant: Option<String>,
    /// Make a tenant for this user.
    #[arg(long)]
    pub own_tenant: bool,
    /// The plan, where it is not the tenant's.
    #[arg(long)]
    pub plan: Option<String>,
    /// The type of user.
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// What the user is; several times, or parted by commas.
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// What the user may do; several times, or parted by commas.
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',')]
    pub permissions: Vec<String>,
    /// The networks to log in from; any by default. Several times, or parted by commas.
    #[arg(long = "network", value_name = "CIDR", value_delimiter = ',')]
    pub networks: Vec<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordFrom,
    /// No password: nobody logs in with one.
    #[arg(long, conflicts_with_all = ["password_file", "password_env"])]
    pub no_password: bool,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// Where a password comes from; one is made up where it comes from nowhere. Never an argument: others can read those.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct PasswordFrom {
    /// A file with the password, without the line break at its end.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The environment variable with the password.
    #[arg(long, value_name = "NAME")]
    pub password_env: Option<String>,
}

/// Who a user is elsewhere.
#[derive(Args, Debug)]
pub struct Linked {
    /// Which user.
    #[command(flatten)]
    pub one: One,
    /// Who it is there: `sub` of its ID tokens.
    #[arg(long)]
    pub subject: String,
    /// Where: the provider of the configuration unless it is said.
    #[arg(long)]
    pub issuer: Option<String>,
}

/// Another password.
#[derive(Args, Debug)]
pub struct ResetPassword {
    /// Whose.
    #[command(flatten)]
    pub one: One,
    /// Where it comes from.
    #[command(flatten)]
    pub password: PasswordFrom,
}

/// The tenant to make.
#[derive(Args, Debug)]
pub struct CreateTenant {
    /// Which.
    #[command(flatten)]
    pub one: One,
    /// What it is called; as its id by default.
    #[arg(long)]
    pub name: Option<String>,
    /// The plan of its users.
    #[arg(long)]
    pub plan: Option<String>,
    /// The networks that its users log in from; any by default. Several times, or parted by commas.
    #[arg(long = "network", value_name = "CIDR", value_delimiter = ',')]
    pub networks: Vec<String>,
}
