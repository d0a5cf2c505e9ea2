//! `[accounts.messages]`: who tells people what they need to reset a password or to verify an address.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::Secret;
use auth_core::endpoint::Endpoint;
use auth_core::limit::Quota;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::uri::Scheme;
use rustls::ClientConfig;

use super::node::{FromNode, Node};
use super::section::Section;
use super::units::Span;
use super::values::{Content, Positive};
use super::{Config, SecondFactorNeeded};
use crate::problem::{Place, Problem};
use crate::tls::client;

/// The webhook that is told what to send to whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Messages {
    /// Where it stands in the file.
    pub place: Place,
    /// Where messages are posted to.
    pub url: WebhookUrl,
    /// What they are signed with; `None` for the secret that is made at the first start.
    pub secret: Option<WebhookSecret>,
    /// How an `https` receiver proves who it is.
    pub tls: Option<Arc<ClientConfig>>,
    /// How long one attempt may take, from connecting to the head of the answer.
    pub timeout: Duration,
    /// How often a message is posted that is not accepted.
    pub attempts: usize,
    /// How long the pause behind the first attempt is; each is twice the one before.
    pub pause: Duration,
    /// How long a ticket can reset a password; `None` is left to the library, like the following.
    pub reset_life: Option<Duration>,
    /// How long a ticket can verify an address.
    pub verification_life: Option<Duration>,
    /// How many messages of a kind go to one account.
    pub per_account: Option<Quota>,
    /// How many messages one source may ask for.
    pub per_source: Option<Quota>,
}

/// An `https` URL, or one of a server on this very machine. `Debug` prints the host alone: path and query may hold what
/// others must not know.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(pub Uri);

/// The bytes behind `whsec_`, as Standard Webhooks writes them.
#[derive(Clone, Debug)]
pub struct WebhookSecret(pub Secret);

/// What such a secret begins with.
pub(crate) const SECRET_PREFIX: &str = "whsec_";

impl FromNode for Messages {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let url = section.required::<WebhookUrl>("url");
            let mut quota = |key| section.parse(key, |text| text.parse::<Quota>().map_err(|error| error.to_string()));
            let (per_account, per_source) = (quota("per_account"), quota("per_source"));
            let life = |section: &mut Section<'_>, key| section.read::<Span>(key).map(|Span(life)| life);
            Some(Self {
                place: section.place(),
                tls: tls(section, url.as_ref()),
                url: url?,
                secret: section.read("secret"),
                timeout: section.read_or("timeout", Span(Duration::from_secs(10))).0,
                attempts: section.read::<Positive>("attempts").map_or(8, |Positive(attempts)| attempts),
                pause: section.read_or("pause", Span(Duration::from_secs(1))).0,
                reset_life: life(section, "reset_life"),
                verification_life: life(section, "verification_life"),
                per_account,
                per_source,
            })
        })?
    }
}

/// Certificates are checked, always, as those of upstreams are.
fn tls(section: &mut Section<'_>, url: Option<&WebhookUrl>) -> Option<Arc<ClientConfig>> {
    let authorities = section.node("ca_file");
    if url?.0.scheme() != Some(&Scheme::HTTPS) {
        return authorities?.problem("is for an https URL: write one, or leave it out");
    }
    let trusting = match &authorities {
        Some(node) => {
            client::trusting_file(&Content::from_node(node)?.0).or_else(|error| node.problem(error).ok_or(()))
        }
        None => client::trusting_system().or_else(|error| section.problem(error).ok_or(())),
    };
    trusting.ok().map(Arc::new)
}

impl FromNode for WebhookUrl {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        // the text may hold a secret, so it is not repeated
        if text.contains(['@', '#']) {
            return node.problem("must have no user, password or fragment");
        }
        let url = text.parse::<Uri>().ok().filter(|url| url.host().is_some());
        let Some(url) = url else {
            return node.problem("is not a URL: write one such as https://hooks.example.com/auth");
        };
        match url.scheme_str() {
            Some("https") => Some(Self(url)),
            Some("http") if is_loopback(url.host().unwrap_or_default()) => Some(Self(url)),
            _ => node.problem("must be an https URL: http is for a literal address of this machine, such as 127.0.0.1"),
        }
    }
}

/// A name is none, whatever it means here: somebody else may say what it means tomorrow.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl std::fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookUrl({})", self.0.host().unwrap_or_default())
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and base64 of 24 to 64 bytes.
    pub(crate) fn read(text: &Secret) -> Option<Self> {
        let encoded = text.expose_text()?.strip_prefix(SECRET_PREFIX)?;
        let bytes = STANDARD.decode(encoded).ok().filter(|bytes| (24..=64).contains(&bytes.len()))?;
        Some(Self(Secret::new(bytes)))
    }
}

impl FromNode for WebhookSecret {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = Secret::from_node(node)?;
        Self::read(&text).or_else(|| {
            node.problem("the secret must be `whsec_` and base64 of 24 to 64 random bytes, as in Standard Webhooks")
        })
    }
}

/// What does not go with the endpoints.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let has = |endpoint| config.endpoints.list.iter().any(|at| at.endpoint == endpoint);
    let Some(accounts) = &config.accounts else { return Vec::new() };
    let mut problems = Vec::new();
    if let Some(place) = &accounts.require_verified_email
        && (accounts.messages.is_none() || !has(Endpoint::VerifyEmail))
    {
        problems.push(
            place.problem("nobody could verify an address: write [accounts.messages] and [endpoints.verify_email]"),
        );
    }
    if let Some(SecondFactorNeeded::Whoever { types, .. }) = accounts.second_factor_needed.as_ref().map(|n| &n.value) {
        let is_known = |name: &&String| accounts.types.iter().any(|known| known.name.value == **name);
        let unknown = types.iter().find(|name| !accounts.types.is_empty() && !is_known(name));
        let place = accounts.second_factor_needed.as_ref().map(|needed| &needed.place);
        problems.extend(
            unknown.zip(place).map(|(name, place)| {
                place.problem(format!("none of accounts.types is named `{}`", name.escape_debug()))
            }),
        );
    }
    if let Some(needed) = &accounts.second_factor_needed {
        if accounts.second_factor.is_none() {
            problems.push(
                needed.place.problem(
                    "there are no second factors: write `second_factor`, what authenticators call the service",
                ),
            );
        } else if !has(Endpoint::EnrolSecondFactor) || !has(Endpoint::ConfirmSecondFactor) {
            problems.push(needed.place.problem(
                "nobody could get one: write [endpoints.enrol_second_factor] and [endpoints.confirm_second_factor]",
            ));
        }
    }
    problems
}
