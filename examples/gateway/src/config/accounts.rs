//! `[accounts]`: who can log in, with what, and what comes of it.

use std::time::Duration;

use auth_core::endpoint::LoginBy;
use auth_core::issue::{CharacterClass, TenantFor, UnknownNames};
use auth_core::limit::Quota;

use super::api_keys::Pepper;
use super::messages::Messages;
use super::node::{FromNode, Node};
use super::second_factor::SecondFactorNeeded;
use super::section::Section;
use super::sso::Sso;
use super::store::Store;
use super::units::Span;
use super::values::{OneOrMore, Positive, Text, choice};
use crate::problem::{Place, Placed};

/// Who can log in, with what, and what comes of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accounts {
    /// Where it stands in the file.
    pub place: Place,
    /// What people log in with.
    pub login_by: LoginBy,
    /// Whether an API key logs its owner in too.
    pub login_by_key: bool,
    /// What the ids of accounts begin with.
    pub id_prefix: String,
    /// What the ids of tenants begin with.
    pub tenant_prefix: String,
    /// When a session is over, however much it is used.
    pub session_life: Duration,
    /// For how long a session may lie unused; `None` for as long as it lives.
    pub session_idle: Option<Duration>,
    /// How many sessions an account has open at the most.
    pub max_sessions: usize,
    /// What passwords must be like, and what hashing them takes.
    pub passwords: PasswordRules,
    /// What sessions are refreshed with; `None` where they are refreshed by access tokens or not at all.
    pub refresh: Option<RefreshRules>,
    /// The types of users that there are.
    pub types: Vec<UserType>,
    /// Whether a login tells that there is no account of that name.
    pub unknown_names: UnknownNames,
    /// What assertions of partners have to be like; `None` where nobody's word opens sessions.
    pub assertions: Option<AssertionRules>,
    /// The OpenID provider whose people get sessions; `None` where there is none.
    pub sso: Option<Sso>,
    /// What people get who register themselves.
    pub registration: Registration,
    /// How many logins may fail.
    pub throttle: Throttle,
    /// What authenticators call the service; `None` where there are no second factors.
    pub second_factor: Option<String>,
    /// Whose accounts have to have one; `None` where that is for people to say.
    pub second_factor_needed: Option<Placed<SecondFactorNeeded>>,
    /// Who tells people what they need to reset a password or to verify an address; `None` where nobody does.
    pub messages: Option<Messages>,
    /// Where it says that nobody logs in before their address is verified; `None` where they do.
    pub require_verified_email: Option<Place>,
    /// The limit that a user's usage tells of.
    pub usage: Option<Placed<String>>,
    /// The name of the cookie that a login can ask for; `None` where it cannot.
    pub cookie: Option<Placed<String>>,
    /// What refresh tokens and recovery codes are hashed with, the one in use first; none for one made at the first start, in
    /// the data directory.
    pub peppers: Vec<Pepper>,
    /// Where accounts are kept.
    pub store: Store,
}

/// What assertions of partners have to be like.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssertionRules {
    /// Whom they have to be for; `None` for the issuer of the gateway's own tokens.
    pub audience: Option<String>,
    /// For how long they may be good.
    pub max_lifetime: Duration,
}

/// A type of users, and what everybody of it may do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserType {
    /// What it is called.
    pub name: Placed<String>,
    /// What everybody of it may do.
    pub permissions: Vec<String>,
}

/// What passwords must be like, and what hashing them takes. What is `None` is left to the library.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PasswordRules {
    /// Where it stands in the file.
    pub place: Place,
    /// The fewest characters.
    pub min_length: Option<usize>,
    /// The most characters.
    pub max_length: Option<usize>,
    /// The classes of characters that have to be there.
    pub classes: Vec<CharacterClass>,
    /// How many of the last passwords may not be used again.
    pub recent: usize,
    /// Memory, in KiB, passes and lanes of a hash.
    pub cost: Option<(u32, u32, u32)>,
}

/// What sessions are refreshed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshRules {
    /// What tokens begin with.
    pub prefix: Placed<String>,
    /// What becomes of a token that is used.
    pub rotation: RotationRule,
    /// For how long a lost answer can be asked for once more.
    pub grace: Duration,
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RotationRule {
    /// A successor takes its place, the default.
    #[default]
    Rotate,
    /// It stays in force.
    Reuse,
}

/// What people get who register themselves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Registration {
    /// Where they belong.
    pub tenant: RegistrationTenant,
    /// The plan that chooses their limits.
    pub plan: Option<Placed<String>>,
    /// The type of user that they are.
    pub kind: Option<String>,
    /// What they are.
    pub roles: Vec<String>,
    /// What they may do.
    pub permissions: Vec<String>,
}

/// Where people belong who register themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegistrationTenant {
    /// Nowhere, the default.
    #[default]
    None,
    /// To a tenant of their own.
    Own,
    /// All to the same tenant.
    Shared(String),
}

/// How many logins may fail; what is `None` is left to the library.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Throttle {
    /// Of one source at one account.
    pub pair: Option<Quota>,
    /// Of one source at all accounts.
    pub source: Option<Quota>,
    /// Of all strangers at one account.
    pub strangers: Option<Quota>,
    /// What strangers have beyond that.
    pub trickle: Option<Quota>,
}

/// What the ids of accounts may begin with: nothing that says whose name it is.
fn id_prefix(text: &str) -> Result<String, String> {
    let reserved = ["client:", "external:"].into_iter().find(|reserved| text.starts_with(reserved));
    match reserved {
        Some(reserved) => Err(format!("accounts cannot begin with `{reserved}`, which is not theirs: write another")),
        None if text.is_empty() || text.chars().any(char::is_control) => {
            Err("is empty or cannot be printed".to_owned())
        }
        None => Ok(text.to_owned()),
    }
}

impl FromNode for Accounts {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| Self {
            place: section.place(),
            login_by: section.read_or("login_by", LoginBy::default()),
            login_by_key: section.read_or("login_by_key", false),
            id_prefix: section.parse("id_prefix", id_prefix).unwrap_or_else(|| "user_".to_owned()),
            tenant_prefix: section
                .read::<Text>("tenant_prefix")
                .map_or_else(|| "org_".to_owned(), |Text(prefix)| prefix),
            session_life: section.read_or("session_life", Span(Duration::from_hours(30 * 24))).0,
            session_idle: section.read::<Span>("session_idle").map(|Span(idle)| idle),
            max_sessions: section.read::<Positive>("max_sessions").map_or(100, |Positive(most)| most),
            passwords: section.nested("passwords", PasswordRules::read),
            refresh: section.read("refresh"),
            types: section.read("types").unwrap_or_default(),
            unknown_names: unknown_names(section),
            assertions: section.read("assertions"),
            sso: section.read("sso"),
            registration: section.nested("registration", Registration::read),
            throttle: section.nested("throttle", Throttle::read),
            second_factor: section.read::<Text>("second_factor").map(|Text(service)| service),
            second_factor_needed: section.placed("second_factor_needed"),
            messages: section.read("messages"),
            require_verified_email: section
                .placed::<bool>("require_verified_email")
                .filter(|required| required.value)
                .map(|required| required.place),
            usage: text(section, "usage"),
            cookie: text(section, "cookie"),
            peppers: section.read_or("peppers", Vec::new()),
            store: Store::read(section, node),
        })
    }
}

fn text(section: &mut Section<'_>, key: &'static str) -> Option<Placed<String>> {
    section.placed::<Text>(key).map(|text| text.map(|Text(text)| text))
}

fn unknown_names(section: &mut Section<'_>) -> UnknownNames {
    if section.read_or("reveal_unknown_user", false) { UnknownNames::DangerTold } else { UnknownNames::Hidden }
}

fn texts(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let texts = section.read::<OneOrMore<Text>>(key);
    texts.map_or_else(Vec::new, |OneOrMore(texts)| texts.into_iter().map(|Text(text)| text).collect())
}

impl PasswordRules {
    fn read(section: &mut Section<'_>) -> Self {
        let length = |Positive(length)| length;
        let classes = section.read::<OneOrMore<CharacterClass>>("classes");
        let cost = section.read::<Cost>("cost");
        Self {
            place: section.place(),
            min_length: section.read::<Positive>("min_length").map(length),
            max_length: section.read::<Positive>("max_length").map(length),
            classes: classes.map_or_else(Vec::new, |OneOrMore(classes)| classes),
            recent: section.read_or("recent", 0),
            cost: cost.map(|Cost(memory, passes, lanes)| (memory, passes, lanes)),
        }
    }
}

impl FromNode for UserType {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let name = section.required_placed::<Text>("name");
            let permissions = texts(section, "permissions");
            Some(Self { name: name?.map(|Text(name)| name), permissions })
        })?
    }
}

impl FromNode for AssertionRules {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| Self {
            audience: section.read::<Text>("audience").map(|Text(audience)| audience),
            max_lifetime: section.read_or("max_lifetime", Span(Duration::from_mins(10))).0,
        })
    }
}

struct Cost(u32, u32, u32);

impl FromNode for Cost {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let (memory, passes) = (section.required("memory_kib"), section.required("passes"));
            let lanes = section.read_or("lanes", 1);
            Some(Self(memory?, passes?, lanes))
        })?
    }
}

impl FromNode for RefreshRules {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let prefix = section.required_placed::<Text>("prefix");
            let rotation = section.read_or("rotation", RotationRule::default());
            let grace = section.read_or("grace", Span(Duration::from_secs(10))).0;
            Some(Self { prefix: prefix?.map(|Text(prefix)| prefix), rotation, grace })
        })?
    }
}

impl Registration {
    /// Where people belong, as the library says it.
    pub(crate) fn tenant_for(&self) -> TenantFor {
        match &self.tenant {
            RegistrationTenant::None => TenantFor::Nobody,
            RegistrationTenant::Own => TenantFor::Own,
            RegistrationTenant::Shared(tenant) => TenantFor::Existing(tenant.as_str().into()),
        }
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            tenant: section.read_or("tenant", RegistrationTenant::default()),
            plan: text(section, "plan"),
            kind: section.read::<Text>("type").map(|Text(kind)| kind),
            roles: texts(section, "roles"),
            permissions: texts(section, "permissions"),
        }
    }
}

impl FromNode for RegistrationTenant {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Text(text) = Text::from_node(node)?;
        Some(match text.as_str() {
            "own" => Self::Own,
            "none" => Self::None,
            _ => Self::Shared(text),
        })
    }
}

impl Throttle {
    fn read(section: &mut Section<'_>) -> Self {
        let mut quota = |key| section.parse(key, |text| text.parse::<Quota>().map_err(|error| error.to_string()));
        Self { pair: quota("pair"), source: quota("source"), strangers: quota("strangers"), trickle: quota("trickle") }
    }
}

impl FromNode for RotationRule {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("rotate", Self::Rotate), ("reuse", Self::Reuse)])
    }
}

impl FromNode for LoginBy {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("email", Self::Email), ("user_name", Self::UserName)])
    }
}

impl FromNode for CharacterClass {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let classes =
            [("upper", Self::Upper), ("lower", Self::Lower), ("digit", Self::Digit), ("special", Self::Special)];
        choice(node, &classes)
    }
}
