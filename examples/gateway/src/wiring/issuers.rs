//! From `[[issuers]]` and `[tokens]` to the verifier of JSON Web Tokens.

use std::path::Path;
use std::time::Duration;

use auth_core::endpoint::SubjectIssuers;
use auth_core::issue::AccessTokenIssuer;
use auth_core::keys::{Algorithm, KeySet, VerificationKey};
use auth_core::verify::jwt::{ClaimMapping, ClaimPath, Issuer, JwtVerifier, ScopeShape, ScopeUse, TokenKind};
use auth_core::{ConfigError, Secret};

use crate::config::{self, ClientNames, Config, Expiry, IssuerKeys, MaybeClaim, ScopeForm};
use crate::problem::{Place, Placed, Problem};

/// How far the clocks of those who sign and verify the gateway's own tokens may differ: they are one machine's, or
/// machines' that are kept in step.
const OWN_LEEWAY: Duration = Duration::from_secs(2);

/// The verifier of every issuer, each checked on its own first, so that each problem has its place.
pub(super) fn verifier(config: &Config, own: Option<&AccessTokenIssuer>) -> Result<Option<JwtVerifier>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut issuers = Vec::new();
    for settings in &config.issuers {
        match issuer(settings).and_then(|issuer| alone(issuer, &settings.place)) {
            Ok(issuer) => issuers.push(issuer),
            Err(problem) => problems.push(problem),
        }
    }
    if let (Some(own), Some(tokens)) = (own, &config.tokens) {
        let place = &tokens.place;
        let issuer = own.trusted().map_err(|error| place.problem(error.to_string()));
        match issuer.map(|issuer| issuer.leeway(OWN_LEEWAY)).and_then(|issuer| alone(issuer, place)) {
            Ok(issuer) => issuers.push(issuer),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(twice(config));
    if !problems.is_empty() {
        return Err(problems);
    }
    if issuers.is_empty() {
        return Ok(None);
    }
    JwtVerifier::new(issuers)
        .map(|verifier| Some(verifier.remembering(config.remembered)))
        .map_err(|error| vec![Place::file(config.file.clone()).problem(error.to_string())])
}

/// Whose tokens clients may exchange; none where the configuration names nobody.
pub(super) fn exchanged(config: &Config) -> Result<Option<SubjectIssuers>, Vec<Problem>> {
    let Some(clients) = config.clients.as_ref().filter(|clients| !clients.exchanged.is_empty()) else {
        return Ok(None);
    };
    let mut issuers = Vec::new();
    for named in &clients.exchanged {
        // what names nobody was complained of before
        for settings in config.issuers.iter().filter(|settings| settings.issuer == named.issuer.value) {
            let clients = named.clients.iter().map(|id| id.as_str().into()).collect();
            issuers.push((issuer(settings).map_err(|problem| vec![problem])?, clients));
        }
    }
    SubjectIssuers::new(issuers).map(Some).map_err(|error| vec![clients.place.problem(error.to_string())])
}

fn alone(issuer: Issuer, place: &Place) -> Result<Issuer, Problem> {
    JwtVerifier::new([issuer.clone()]).map(|_| issuer).map_err(|error| place.problem(error.to_string()))
}

fn twice(config: &Config) -> Vec<Problem> {
    let own = config.tokens.iter().map(|tokens| (&tokens.issuer, &tokens.place));
    let mut seen: Vec<&String> = Vec::new();
    let mut problems = Vec::new();
    for (name, place) in own.chain(config.issuers.iter().map(|issuer| (&issuer.issuer, &issuer.place))) {
        if seen.contains(&name) {
            problems.push(
                place.problem(format!(
                    "the issuer `{}` is there already: give one entry everything",
                    name.escape_debug()
                )),
            );
        }
        seen.push(name);
    }
    problems
}

fn issuer(settings: &config::Issuer) -> Result<Issuer, Problem> {
    let algorithms = algorithms(settings)?;
    let keys = keys(&settings.keys, algorithms.as_deref())?;
    let mut issuer = Issuer::new(settings.issuer.as_str(), settings.audience.iter().map(String::as_str), keys);
    if let Some(algorithms) = algorithms {
        issuer = issuer.algorithms(algorithms);
    }
    let rules = &settings.rules;
    if let Some(leeway) = rules.leeway {
        issuer = issuer.leeway(leeway);
    }
    if let Some(longest) = rules.max_lifetime {
        issuer = issuer.max_lifetime(longest);
    }
    if rules.expiry == Expiry::Optional {
        issuer = issuer.danger_accept_missing_expiry();
    }
    if rules.client_names == ClientNames::SharedWithUsers {
        issuer = issuer.danger_clients_share_names_with_users();
    }
    let kind = match &rules.kind {
        config::TokenKind::AccessToken => TokenKind::AccessToken,
        config::TokenKind::Profile => TokenKind::Profile,
        config::TokenKind::Typ(typ) => TokenKind::Typ(typ.clone().into()),
    };
    Ok(issuer.token_kind(kind).claims(mapping(&rules.claims)))
}

fn algorithms(settings: &config::Issuer) -> Result<Option<Vec<Algorithm>>, Problem> {
    let Some(names) = &settings.algorithms else { return Ok(None) };
    let read = |name: &String| name.parse().map_err(|error: ConfigError| names.place.problem(error.to_string()));
    names.value.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn keys(keys: &Placed<IssuerKeys>, algorithms: Option<&[Algorithm]>) -> Result<KeySet, Problem> {
    let problem = |error: ConfigError| keys.place.problem(error.to_string());
    let text = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| keys.place.problem(format!("cannot read {}: {error}", path.display())))
    };
    match &keys.value {
        IssuerKeys::JwksFile(path) => KeySet::from_jwks(&text(path)?).map_err(problem),
        IssuerKeys::JwkFile(path) => {
            VerificationKey::from_jwk(&text(path)?).and_then(|key| KeySet::new([key])).map_err(problem)
        }
        IssuerKeys::PemFile(path) => KeySet::from_pem(&text(path)?).map_err(problem),
        IssuerKeys::Secret(secret) => shared(secret, algorithms).map_err(problem),
    }
}

/// A secret says nothing of its algorithm, so it serves the one that is named, or HS256.
fn shared(secret: &Secret, algorithms: Option<&[Algorithm]>) -> Result<KeySet, ConfigError> {
    match algorithms {
        None => KeySet::shared_secret(Algorithm::Hs256, secret),
        Some([only]) => KeySet::shared_secret(*only, secret),
        Some(_) => Err(ConfigError::new("a shared secret serves one algorithm: name one of HS256, HS384, HS512")),
    }
}

pub(super) fn mapping(claims: &config::ClaimNames) -> ClaimMapping {
    let path = |names: &config::ClaimPath| ClaimPath::from(names.clone());
    let shape = match claims.scope_form {
        ScopeForm::Delimited => ScopeShape::Delimited,
        ScopeForm::DelimitedOrList => ScopeShape::DelimitedOrList,
    };
    let scopes = claims.scopes.as_ref().map_or_else(|| ClaimPath::from("scope"), path);
    let mut mapping = ClaimMapping::default().scopes(scopes, shape).scope_use(match claims.scope_use {
        config::ScopeUse::GrantPermissions => ScopeUse::GrantPermissions,
        config::ScopeUse::KeptApart => ScopeUse::KeptApart,
    });
    if let Some(permissions) = &claims.permissions {
        mapping = mapping.permissions(permissions.iter().map(path));
    }
    if let Some(roles) = &claims.roles {
        mapping = mapping.roles(roles.iter().map(path));
    }
    mapping = match &claims.tenant {
        MaybeClaim::Default => mapping,
        MaybeClaim::Claim(names) => mapping.tenant(path(names)),
        MaybeClaim::None => mapping.without_tenant(),
    };
    match &claims.plan {
        MaybeClaim::Default => mapping,
        MaybeClaim::Claim(names) => mapping.plan(path(names)),
        MaybeClaim::None => mapping.without_plan(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auth_core::store::MemoryKeyStore;
    use auth_core::verify::{CacheSize, Verifier};

    use super::*;
    use crate::config::Surroundings;

    /// A verifier that may remember very many is told of them ahead, which shows outside how many it may.
    #[test]
    fn as_much_is_remembered_as_the_file_says() {
        let fetches_ahead = |remembered: &str, expected: CacheSize| {
            let text = format!(
                "[remembered]\n{remembered}\n[[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"jwt\", \"api_key\"]\n\
                 [[issuers]]\nissuer = \"https://i\"\naudience = \"a\"\nsecret = {{ env = \"SECRET\" }}\n\
                 [api_keys]\nprefix = \"gw\"\nissuer = \"g\"\n"
            );
            let environment = |_: &str| Some("an example of a secret, 32 bytes or more".to_owned());
            let surroundings = Surroundings { base_dir: Path::new(""), environment: &environment };
            let config = config::load_in(&text, "gateway.toml", surroundings).unwrap();
            assert_eq!(config.remembered, expected);
            let settings = config.api_keys.as_ref().unwrap();
            let store = Arc::new(MemoryKeyStore::new());
            let keys = super::super::api_keys::keys(&config, settings, store, &Secret::new(vec![7; 32])).unwrap();
            [verifier(&config, None).unwrap().unwrap().fetches_ahead(), keys.verifier.fetches_ahead()]
        };
        let size = CacheSize::default();
        assert_eq!(fetches_ahead("", size), [false, false]);
        assert_eq!(fetches_ahead("size = \"1MiB\"", size.bytes(1 << 20)), [false, false]);
        let size = CacheSize::entries(100_000).bytes(1 << 30);
        assert_eq!(fetches_ahead("entries = 100000\nsize = \"1GiB\"", size), [true, true]);
    }
}
