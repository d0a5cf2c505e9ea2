//! From a configuration to the parts that decide.
//!
//! Whatever the libraries find wrong becomes a problem with the place in the file that it comes from.
//!
//! ```
//! use std::path::Path;
//! use gateway::{config, wiring};
//!
//! let text = r#"
//!     [[routes]]
//!     path = "/open/{*rest}"
//!     access = "public"
//! "#;
//! let config = config::load(text, "gateway.toml", Path::new("")).unwrap();
//! let resources = wiring::Resources::in_memory(&config).unwrap();
//! let wired = wiring::wire(&config, resources).unwrap();
//! assert!(wired.gate.context().policy().find("GET", "/open/x").is_ok());
//! ```

mod accounts;
mod api_keys;
mod clients;
mod endpoints;
mod errors;
mod introspection;
mod issuers;
mod limits;
mod logins;
mod opaque_tokens;
mod peppers;
mod resources;
mod routes;

use std::sync::Arc;

use auth_core::credential::CredentialReader;
use auth_core::endpoint::Endpoints;
use auth_core::gate::{Gate, Limits, RequestIds};
use auth_core::issue::{AccessTokenIssuer, Accounts, Administration, Clients, SigningKeys};
use auth_core::limit::Plans;
use auth_core::policy::{PermissionModel, Policy};
use auth_core::reply::ErrorStyle;
use auth_core::revocation::Revocations;
use auth_core::store::{AccountStore, ApiKeyStore, LimitStore};
use auth_core::usage::UsageCounts;
use auth_core::verify::Verifier;
use auth_core::verify::introspection::IntrospectionVerifier;
use auth_core::verify::jwt::JwtVerifier;
use auth_core::{Clock, ConfigError, Now, Secret};

pub use api_keys::Keys;
pub use logins::Logins;
pub use opaque_tokens::OpaqueTokens;
pub(crate) use peppers::own_issuer;
pub use resources::{ResourceError, Resources};
pub(crate) use routes::permissions;

use crate::config::{self, Config, Kind};
use crate::problem::{Place, Placed, Problem};
use accounts::Needed;
use endpoints::Tools;

/// What a configuration comes to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wired {
    /// Decides on requests.
    pub gate: Gate,
    /// The gateway's own API keys, where there are any.
    pub keys: Option<Keys>,
    /// The gateway's own opaque tokens, where there are any.
    pub opaque_tokens: Option<OpaqueTokens>,
    /// The list of what was taken back, where there is one.
    pub revocations: Option<Revocations>,
    /// The gateway's own issuer, where there is one.
    pub own_tokens: Option<AccessTokenIssuer>,
    /// What signs for upstreams who the caller is, where they are told so.
    pub assertion_keys: Option<Arc<SigningKeys>>,
    /// The gateway's own accounts, where there are any.
    pub accounts: Option<Accounts>,
    /// The gateway's own OAuth clients, where there are any.
    pub clients: Option<Clients>,
    /// What administrators work on.
    pub administration: Administration,
    /// How much keys are used, where that is counted.
    pub usage: Option<UsageCounts>,
    /// What the gateway answers itself.
    pub endpoints: Endpoints,
}

/// Puts the parts together.
///
/// # Errors
/// Every problem that the parts have with the configuration, in its order.
pub fn wire(config: &Config, resources: Resources) -> Result<Wired, Vec<Problem>> {
    let (revocations, assertion_keys) = (resources.revocations.clone(), resources.assertion_keys.clone());
    let attempts = resources.attempts.clone();
    let usage = config.endpoints.tell_usage().then(|| resources.usage.clone());
    let parts = Parts::of(config, resources)?;
    let Parts { issued, keys, opaque_tokens, style, model, clock, own_tokens, plans, limit_store, accounts, clients } =
        parts;
    let mut administration = Administration::new();
    administration.accounts.clone_from(&accounts);
    administration.keys = keys.as_ref().map(|keys| keys.service.clone());
    administration.clients.clone_from(&clients);
    administration.opaque_tokens = opaque_tokens.as_ref().map(|tokens| tokens.service.clone());
    administration.permissions = model.clone();
    let jwt: Option<Arc<dyn Verifier>> = issued.jwt.map(|verifier| Arc::new(verifier) as _);
    let api_key: Option<Arc<dyn Verifier>> = keys.as_ref().map(|keys| Arc::new(keys.verifier.clone()) as _);
    let opaque: Option<Arc<dyn Verifier>> = opaque_tokens.as_ref().map(|tokens| Arc::new(tokens.verifier.clone()) as _);
    let introspected: Vec<Arc<dyn Verifier>> =
        issued.introspected.into_iter().map(|asks| Arc::new(asks) as _).collect();
    let mut gate = Gate::builder()
        .policy(routes::policy(config))
        .permissions(model)
        .trusted_proxies(config.server.trusted_proxies.clone())
        .request_ids(match config.request_ids {
            config::RequestIds::Always => RequestIds::Always,
            config::RequestIds::OnRefusal => RequestIds::OnRefusal,
        })
        .errors(style)
        .limits(
            Limits::shared(plans, Arc::clone(&limit_store))
                .headers(config.limits.headers)
                .spread(config.limits.spread)
                .during_outage(config.limits.during_outage),
        )
        .clock(SharedClock(clock));
    if let Some(revocations) = &revocations {
        gate = gate.revocations(revocations.clone());
    }
    if let Some(guard) = limits::failed_attempts(config, limit_store, &attempts) {
        gate = gate.failed_attempts(guard);
    }
    for credentials in &config.credentials {
        let verifiers = |kind: &Placed<Kind>| match kind.value {
            Kind::Jwt => jwt.as_slice(),
            Kind::ApiKey => api_key.as_slice(),
            Kind::Opaque => opaque.as_slice(),
            Kind::Introspected => introspected.as_slice(),
        };
        // nobody else is asked about what the gateway recognises itself
        let (others, own): (Vec<_>, Vec<_>) =
            credentials.kinds.iter().partition(|kind| kind.value == Kind::Introspected);
        for verifier in own.into_iter().chain(others).flat_map(verifiers) {
            gate = gate.accept_shared(credentials.source.clone(), Arc::clone(verifier));
        }
    }
    let gate = gate.build().map_err(|errors| everywhere(config, &errors))?;
    let tools = Tools {
        keys: keys.as_ref(),
        own_tokens: own_tokens.as_ref(),
        accounts: accounts.as_ref(),
        clients: clients.as_ref(),
        opaque_tokens: opaque_tokens.as_ref(),
        revocations: revocations.as_ref(),
        administration: Some(&administration),
        usage: usage.as_ref(),
        gate: Some(&gate),
    };
    let endpoints = endpoints::endpoints(config, tools)?;
    endpoints::warn_without_messenger(config);
    Ok(Wired {
        gate,
        keys,
        opaque_tokens,
        revocations,
        own_tokens,
        assertion_keys,
        accounts,
        clients,
        administration,
        usage,
        endpoints,
    })
}

/// Every problem that the parts have with what could be read of a configuration.
///
/// # Errors
/// There are no random bytes.
pub fn problems(config: &Config) -> Result<Vec<Problem>, ResourceError> {
    Ok(Parts::of(config, Resources::in_memory(config)?).err().unwrap_or_default())
}

/// The verifiers of what issuers gave out: by their keys, and by asking them.
struct Issued {
    jwt: Option<JwtVerifier>,
    introspected: Vec<IntrospectionVerifier>,
}

impl Issued {
    fn of(config: &Config, own: Option<&AccessTokenIssuer>) -> Result<Self, Vec<Problem>> {
        match (issuers::verifier(config, own), introspection::verifiers(config)) {
            (Ok(jwt), Ok(introspected)) => Ok(Self { jwt, introspected }),
            (jwt, introspected) => Err(jwt.err().into_iter().chain(introspected.err()).flatten().collect()),
        }
    }
}

/// The parts of a gate, each found good.
struct Parts {
    issued: Issued,
    keys: Option<Keys>,
    opaque_tokens: Option<OpaqueTokens>,
    style: ErrorStyle,
    model: PermissionModel,
    clock: Arc<dyn Clock>,
    own_tokens: Option<AccessTokenIssuer>,
    plans: Plans,
    limit_store: Arc<dyn LimitStore>,
    accounts: Option<Accounts>,
    clients: Option<Clients>,
}

impl Parts {
    fn of(config: &Config, resources: Resources) -> Result<Self, Vec<Problem>> {
        let Resources {
            clock,
            key_store,
            token_store,
            account_store,
            client_store,
            trust_store,
            once_store,
            link_store,
            usage,
            revocations,
            pepper,
            own_tokens,
            assertion_keys: _,
            limit_store,
            attempts: _,
            webhook_secret,
            outbox,
            logins,
        } = resources;
        let issued = Issued::of(config, own_tokens.as_ref());
        let owners = config.accounts.is_some().then(|| Arc::clone(&account_store));
        let keys = own_keys(config, key_store, &pepper, owners);
        let opaque_tokens = config
            .opaque_tokens
            .as_ref()
            .map(|settings| opaque_tokens::opaque_tokens(config, settings, token_store, &pepper));
        let style = errors::style(&config.errors);
        let model = permissions(config);
        let (table, plans) = (check_table(config, &model), limits::plans(config));
        let found_keys = keys.as_ref().ok().and_then(Option::as_ref);
        let needed = clients::Needed {
            store: client_store,
            used: Arc::clone(&once_store),
            limit_store: Arc::clone(&limit_store),
            clock: Arc::clone(&clock),
            pepper: &pepper,
            tenants: Arc::clone(&account_store),
            revocations: revocations.clone(),
        };
        let clients = clients::clients(config, own_tokens.as_ref(), needed);
        let accounts = config.accounts.as_ref().zip(own_tokens.as_ref()).map(|(settings, issuer)| {
            let needed = Needed {
                store: account_store,
                logins: &logins,
                partners: trust_store,
                used_once: once_store,
                links: link_store,
                limit_store: Arc::clone(&limit_store),
                clock: Arc::clone(&clock),
                pepper: &pepper,
                issuer,
                keys: found_keys,
                permissions: &model,
                revocations,
                webhook_secret: &webhook_secret,
                outbox,
            };
            accounts::accounts(settings, needed)
        });
        let accounts = accounts.transpose();
        let counts = config.endpoints.tell_usage().then_some(usage);
        let tools = Tools {
            keys: found_keys,
            own_tokens: own_tokens.as_ref(),
            accounts: accounts.as_ref().ok().and_then(Option::as_ref),
            clients: clients.as_ref().ok().and_then(Option::as_ref),
            usage: counts.as_ref(),
            ..Tools::default()
        };
        // without keys or accounts their endpoints have nothing to work on, which nobody needs to be told as well
        let endpoints =
            endpoints::endpoints(config, tools).err().filter(|_| keys.is_ok() && accounts.is_ok() && clients.is_ok());
        match (issued, keys, opaque_tokens.transpose(), style, table, plans, (accounts, clients), endpoints) {
            (Ok(issued), Ok(keys), Ok(opaque), Ok(style), Ok(()), Ok(plans), (Ok(accounts), Ok(clients)), None) => {
                Ok(Self {
                    issued,
                    keys,
                    opaque_tokens: opaque,
                    style,
                    model,
                    clock,
                    own_tokens,
                    plans,
                    limit_store,
                    accounts,
                    clients,
                })
            }
            (issued, keys, opaque_tokens, style, table, plans, (accounts, clients), endpoints) => {
                let found = [issued.err(), keys.err(), opaque_tokens.err(), style.err(), table.err(), plans.err()];
                let found = found.into_iter().chain([accounts.err(), clients.err(), endpoints]);
                let mut problems: Vec<Problem> = found.flatten().flatten().collect();
                problems.sort_by_key(Problem::position);
                Err(problems)
            }
        }
    }
}

fn own_keys(
    config: &Config,
    store: Arc<dyn ApiKeyStore>,
    pepper: &Secret,
    owners: Option<Arc<dyn AccountStore>>,
) -> Result<Option<Keys>, Vec<Problem>> {
    let Some(settings) = &config.api_keys else { return Ok(None) };
    Ok(Some(api_keys::keys(config, settings, store, pepper)?.owned_by(config, owners)))
}

/// A clock that the gate shares with others.
struct SharedClock(Arc<dyn Clock>);

impl Clock for SharedClock {
    fn now(&self) -> Now {
        self.0.now()
    }
}

/// Looks at every source and every route alone, so that each problem has its place, and then at all routes together.
fn check_table(config: &Config, model: &PermissionModel) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    let at = |place: &Place, errors: Vec<ConfigError>| -> Vec<Problem> {
        errors.iter().map(|error| place.problem(error.to_string())).collect()
    };
    for credentials in &config.credentials {
        if let Err(errors) = CredentialReader::new([credentials.source.clone()]) {
            problems.extend(at(&credentials.place, errors));
        }
    }
    let sources = config.credentials.iter().map(|credentials| credentials.source.clone());
    let reader = match CredentialReader::new(sources) {
        Ok(reader) => reader,
        Err(errors) if problems.is_empty() => return Err(everywhere(config, &errors)),
        Err(_) => return Err(problems),
    };
    for route in &config.routes {
        if let Err(errors) = routes::add(Policy::new(), config, route).compile(model, &reader) {
            problems.extend(at(&route.place, errors));
        }
    }
    if problems.is_empty()
        && let Err(errors) = routes::policy(config).compile(model, &reader)
    {
        problems = everywhere(config, &errors);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Problems between routes name their patterns; the last route that is named is the one to change.
fn everywhere(config: &Config, errors: &[ConfigError]) -> Vec<Problem> {
    let problem = |error: &ConfigError| {
        let message = error.to_string();
        let is_named = |route: &&config::Route| {
            // alone, or behind a method
            message.match_indices(&format!("{}`", route.path.value)).any(|(at, _)| message[..at].ends_with(['`', ' ']))
        };
        let meant = config.routes.iter().rev().find(is_named);
        let place = meant.map_or_else(|| Place::file(config.file.clone()), |route| route.place.clone());
        place.problem(message)
    };
    errors.iter().map(problem).collect()
}
