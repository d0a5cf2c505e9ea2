//! The configuration language: TOML, read strictly.
//!
//! Every problem of a file is reported at once, each with file, line, column and key, and with what to write instead.
//! Unknown keys are problems. Secrets are references: `{ env = "NAME" }` or `{ file = "path" }`. Durations are texts such
//! as `"30s"`, sizes such as `"64KiB"`. Relative paths begin at the folder of the file.
//!
//! | section | says |
//! |---|---|
//! | `[demo]` | whether demo accounts are made up, and which |
//! | `[server]`, `[tls]`, `[request_id]`, `[log]` | how the gateway is reached and what it says of itself |
//! | `[upstream]`, `[[upstreams]]` | where admitted requests go |
//! | `[assertions]` | who signs for upstreams who the caller is |
//! | `[[credentials]]` | where credentials travel, and which kinds are taken there |
//! | `[[issuers]]`, `[tokens]` | whose JSON Web Tokens are taken |
//! | `[[introspection]]` | who is asked what its opaque tokens are good for |
//! | `[api_keys]` | what API keys look like and where they are kept |
//! | `[opaque_tokens]` | the same of opaque tokens |
//! | `[accounts]` | who can log in, with what, and what comes of it |
//! | `[clients]` | OAuth clients, and how often they may ask for tokens |
//! | `[forward_auth]` | where other proxies ask what the gate says of a request |
//! | `[remembered]` | how many tokens and keys that were found good are remembered |
//! | `[revocations]` | the list of what was taken back |
//! | `[permissions]` | which permission brings which along |
//! | `[[routes]]` | which paths there are and who may pass |
//! | `[limits]`, `[[plans]]` | how much whom is allowed |
//! | `[endpoints]` | what the gateway answers itself, and in which words |
//! | `[admin]` | administration over HTTP, under one prefix |
//! | `[cors]` | which pages of other origins may use them |
//! | `[errors]` | how refusals are worded |
//!
//! What is one value is read in `values` and `units`; what stands in one section is read by the type of that name. The
//! walk itself, with its places and problems, is done in `reader`, `node` and `section`; what ties sections together is
//! checked in `coherence`.

mod accounts;
mod admin;
mod api_keys;
mod assertions;
mod claims;
mod clients;
mod coherence;
mod cors;
mod credentials;
mod demo;
mod draft;
mod endpoints;
mod errors;
mod failed_attempts;
mod forward_auth;
mod introspection;
mod issuers;
mod limits;
mod messages;
mod needs;
mod node;
mod opaque_tokens;
mod peer;
mod permissions;
mod plans;
mod reader;
mod remembered;
mod revocations;
mod routes;
mod second_factor;
mod secret;
mod section;
mod server;
mod sso;
mod store;
mod suggest;
mod tokens;
mod units;
mod upstreams;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth_core::verify::CacheSize;

pub use accounts::{
    Accounts, AssertionRules, PasswordRules, RefreshRules, Registration, RegistrationTenant, RotationRule, Throttle,
    UserType,
};
pub use admin::Admin;
pub use api_keys::{ApiKeys, Pepper};
pub use assertions::{Assertion, Assertions};
pub use claims::{ClaimNames, ClaimPath, MaybeClaim, ScopeForm, ScopeUse};
pub use clients::Clients;
pub use cors::{Cors, CrossOriginCredentials, Origins};
pub use credentials::{Credentials, Kind};
pub use demo::{Demo, DemoAccount};
pub use draft::Draft;
pub use endpoints::{EndpointAt, Endpoints, TokenTypeWord};
pub use errors::{CodeStyle, ErrorShape, Errors};
pub use failed_attempts::FailedAttempts;
pub use forward_auth::ForwardAuth;
pub use introspection::Introspection;
pub use issuers::{ClientNames, Expiry, Issuer, IssuerKeys, TokenKind, TokenRules};
pub use limits::Limits;
pub(crate) use messages::SECRET_PREFIX;
pub use messages::{Messages, WebhookSecret, WebhookUrl};
pub use needs::{Access, Needs};
pub use opaque_tokens::OpaqueTokens;
pub use permissions::Permissions;
pub use plans::{Plan, PlanLimit};
pub use reader::Surroundings;
pub use revocations::Revocations;
pub use routes::{Route, RouteCors, SeveralCredentials};
pub use second_factor::SecondFactorNeeded;
pub use server::{Log, LogFormat, RequestIds, Server, Tls};
pub use sso::{Sso, SsoState};
pub use store::Store;
pub use tokens::Tokens;
pub use upstreams::{NamedUpstream, PassCredentials, Target, Upstream, UpstreamUrl};

use crate::problem::{Placed, Problem};
use section::{Gaps, Section};
pub(crate) use suggest::nearest;
pub(crate) use units::duration;

/// A whole configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of the file, as problems show it.
    pub file: Arc<str>,
    /// The files whose content is part of it: of keys, secrets and authorities.
    pub files: Vec<PathBuf>,
    /// Whether demo accounts are made up at the first start.
    pub demo: Placed<Demo>,
    /// The plans of the demo accounts, in their order.
    pub demo_plans: Vec<Placed<String>>,
    /// The demo accounts, where they are not the usual ones.
    pub demo_users: Vec<DemoAccount>,
    /// How the gateway is reached.
    pub server: Server,
    /// The certificate; `None` serves without TLS.
    pub tls: Option<Tls>,
    /// Which requests carry an identifier.
    pub request_ids: RequestIds,
    /// What is logged.
    pub log: Log,
    /// Where every route leads that names no other upstream.
    pub upstream: Upstream,
    /// The upstreams that routes name.
    pub upstreams: Vec<NamedUpstream>,
    /// Who signs for upstreams who the caller is.
    pub assertions: Option<Assertions>,
    /// Where other proxies ask what the gate says of a request.
    pub forward_auth: Option<ForwardAuth>,
    /// Where credentials travel.
    pub credentials: Vec<Credentials>,
    /// The issuers that are trusted.
    pub issuers: Vec<Issuer>,
    /// The authorization servers that are asked what their opaque tokens are good for.
    pub introspection: Vec<Introspection>,
    /// The gateway's own issuer.
    pub tokens: Option<Tokens>,
    /// The gateway's own API keys.
    pub api_keys: Option<ApiKeys>,
    /// The gateway's own opaque tokens.
    pub opaque_tokens: Option<OpaqueTokens>,
    /// Who can log in.
    pub accounts: Option<Accounts>,
    /// OAuth clients.
    pub clients: Option<Clients>,
    /// How much is remembered of tokens and of keys that were found good; what the library does by default.
    pub remembered: CacheSize,
    /// The list of what was taken back; `None` where nothing can be.
    pub revocations: Option<Revocations>,
    /// Which permission brings which along.
    pub permissions: Permissions,
    /// The route table, the endpoints' rules at its end. What it does not name is refused.
    pub routes: Vec<Route>,
    /// What the gateway answers itself.
    pub endpoints: Endpoints,
    /// Which plan holds for whom.
    pub limits: Limits,
    /// Administration over HTTP; `None` where there is none.
    pub admin: Option<Admin>,
    /// How much each plan allows.
    pub plans: Vec<Plan>,
    /// Which pages of other origins may use the routes.
    pub cors: Cors,
    /// How refusals are worded.
    pub errors: Errors,
}

/// Reads a configuration; `file` is its name in problems, relative paths begin at `base_dir`.
///
/// # Errors
/// Every problem of the text, in the order of the file.
pub fn load(text: &str, file: &str, base_dir: &Path) -> Result<Config, Vec<Problem>> {
    Draft::read(text, file, Surroundings::of_process(base_dir)).finish()
}

/// Like [`load`], with another environment than the process's, for tests.
///
/// # Errors
/// Every problem of the text, in the order of the file.
pub fn load_in(text: &str, file: &str, surroundings: Surroundings<'_>) -> Result<Config, Vec<Problem>> {
    Draft::read(text, file, surroundings).finish()
}

impl Config {
    /// Every section is read, whatever the others are like.
    fn read(section: &mut Section<'_>, gaps: &mut Gaps, file: Arc<str>) -> Self {
        let endpoints = section.nested("endpoints", Endpoints::read);
        let mut routes: Vec<Route> = section.list("routes", gaps);
        routes.extend(endpoints.list.iter().map(|at| at.route.clone()));
        let admin: Option<Admin> = section.part("admin", gaps);
        routes.extend(admin.iter().map(|admin| admin.route.clone()));
        let assertions: Option<Assertions> = section.part("assertions", gaps);
        routes.extend(assertions.iter().map(|assertions| assertions.route.clone()));
        let forward_auth: Option<ForwardAuth> = section.part("forward_auth", gaps);
        routes.extend(forward_auth.iter().map(|asked| asked.route.clone()));
        let (demo, demo_plans, demo_users) = section.nested("demo", |section| {
            (Demo::read(section), Demo::plans(section), section.read("users").unwrap_or_default())
        });
        Self {
            file,
            files: Vec::new(),
            demo,
            demo_plans,
            demo_users,
            server: section.nested("server", Server::read),
            tls: section.read("tls"),
            request_ids: section.nested("request_id", RequestIds::read),
            log: section.nested("log", Log::read),
            upstream: section.nested("upstream", Upstream::read),
            upstreams: section.list("upstreams", gaps),
            assertions,
            forward_auth,
            credentials: section.list("credentials", gaps),
            issuers: section.list("issuers", gaps),
            introspection: section.list("introspection", gaps),
            tokens: section.part("tokens", gaps),
            api_keys: section.part("api_keys", gaps),
            opaque_tokens: section.part("opaque_tokens", gaps),
            accounts: section.part("accounts", gaps),
            clients: section.part("clients", gaps),
            remembered: section.nested("remembered", remembered::read),
            revocations: section.part("revocations", gaps),
            permissions: section.nested("permissions", Permissions::read),
            routes,
            endpoints,
            admin,
            limits: section.nested("limits", Limits::read),
            plans: section.list("plans", gaps),
            cors: section.nested("cors", Cors::read),
            errors: section.nested("errors", Errors::read),
        }
    }

    /// Every permission that means something here: those that some route needs, and those that bring others along.
    pub fn permissions_known(&self) -> Vec<&str> {
        let mut names = self.permissions_needed();
        for name in self.permissions.implies.iter().flat_map(|(name, implied)| std::iter::once(name).chain(implied)) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Every permission that some route needs, each once, in the order of the file, and the one to ask about tokens.
    pub fn permissions_needed(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for route in &self.routes {
            if let Access::Needs(needs) | Access::AnonymousOr(needs) = &route.access {
                needs.permissions(&mut |name| {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                });
            }
        }
        if let Some(name) = self.clients.as_ref().and_then(|clients| clients.introspect.as_deref())
            && !names.contains(&name)
        {
            names.push(name);
        }
        names
    }
}
