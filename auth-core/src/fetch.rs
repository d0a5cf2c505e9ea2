//! One request to somebody else: what asks an OpenID provider for its configuration, its keys and its tokens, and an
//! authorization server what a token is good for.
//!
//! The library has no HTTP client. Whoever mounts it brings one and keeps the promises of [`Fetch`].

use std::fmt;
use std::time::Duration;

use crate::Secret;
use crate::outcome::Pending;

/// The longest answer that is of any use here.
pub const MAX_ANSWER: usize = 512 * 1024;

/// How long an answer may take, from the first step to its last byte.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Sends requests.
///
/// An implementation
/// - sends to `https` with the certificate checked, or to `http` on a literal loopback address, as [`is_safe`] says;
/// - follows no redirection: what is sent is meant for one address;
/// - asks for `application/json`, and tells the `Content-Type` of the answer;
/// - gives up after [`PATIENCE`], and on answers longer than [`MAX_ANSWER`], counted after any decompression.
pub trait Fetch: Send + Sync + 'static {
    /// Sends a request, and brings what is answered, whatever its status.
    fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>>;
}

/// A request to somebody else.
#[derive(Debug)]
#[non_exhaustive]
pub struct FetchRequest {
    /// Where to.
    pub url: String,
    /// The value of `Authorization`.
    pub authorization: Option<Secret>,
    /// What is posted, as `application/x-www-form-urlencoded`; `None` for a GET.
    pub form: Option<Secret>,
}

impl FetchRequest {
    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self { url: url.into(), authorization: None, form: None }
    }

    /// A POST of a form.
    pub fn post(url: impl Into<String>, form: Secret) -> Self {
        Self { url: url.into(), authorization: None, form: Some(form) }
    }
}

/// What was answered.
#[non_exhaustive]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The value of `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// The content.
    pub body: Secret,
}

impl Fetched {
    /// An answer.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: None, body: Secret::new(body) }
    }

    /// With this `Content-Type`.
    #[must_use]
    pub fn content_type(self, value: impl Into<String>) -> Self {
        Self { content_type: Some(value.into()), ..self }
    }

    /// Whether it is said to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        let essence = self.content_type.as_deref().and_then(|value| value.split(';').next());
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    }
}

/// The content may hold tokens.
impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The address is none that is asked: see [`is_safe`].
    Unsafe,
    /// It took too long.
    TooSlow,
    /// The answer was too long.
    TooLong,
    /// It could not be reached, or what it said was no HTTP.
    Unreachable(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe => f.write_str("the address is neither https nor http on a literal loopback address"),
            Self::TooSlow => f.write_str("it did not answer in time"),
            Self::TooLong => f.write_str("its answer was too long"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for FetchError {}

/// Whether a URL may be asked, or a person be sent there: `https`, or `http` on a literal loopback address, without a user
/// name.
///
/// ```
/// use auth_core::fetch::is_safe;
///
/// assert!(is_safe("https://idp.example/token"));
/// assert!(is_safe("http://127.0.0.1:3000/token"));
/// assert!(!is_safe("http://idp.example/token"));
/// assert!(!is_safe("http://localhost.example/"));
/// assert!(!is_safe("https://idp.example@evil.example/"));
/// ```
pub fn is_safe(url: &str) -> bool {
    let authority = |rest: &str| {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    if url.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return false;
    }
    if let Some(rest) = url.strip_prefix("https://") {
        let authority = authority(rest);
        return !authority.is_empty() && !authority.contains('@');
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = authority(rest);
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    !authority.contains('@') && host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
