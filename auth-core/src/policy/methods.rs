//! Which methods a route is for.

use std::fmt;
use std::sync::Arc;

use crate::ConfigError;

use super::rule::RouteRule;

/// The methods that a rule is for: some, or any that has no rule of its own on the path.
///
/// Written as `"GET"`, `"GET, HEAD"`, `["PUT", "PATCH"]` or `"*"`. A rule for GET is one for HEAD too, unless HEAD has
/// a rule of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods(Vec<String>);

impl Methods {
    /// Every method that has no rule of its own on the path.
    pub const ANY: Self = Self(Vec::new());

    /// The methods one by one; `None` stands for any.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<&str>> {
        let any = self.0.is_empty().then_some(None);
        any.into_iter().chain(self.0.iter().map(|method| Some(method.as_str())))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |method: &&String| method.is_empty() || !method.bytes().all(is_method_byte);
        match self.0.iter().find(wrong) {
            None => Ok(()),
            Some(method) => Err(ConfigError::new(format!(
                "{method:?} is not a method: write capital letters, such as GET, or * for any"
            ))),
        }
    }
}

/// Methods are case-sensitive tokens (RFC 9110 section 9.1), and none in use has small letters.
fn is_method_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
}

/// Methods separated by commas or spaces; `*` for any.
impl From<&str> for Methods {
    fn from(list: &str) -> Self {
        match list.trim() {
            "*" => Self::ANY,
            "" => Self(vec![String::new()]),
            methods => Self(methods.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()),
        }
    }
}

impl<const N: usize> From<[&str; N]> for Methods {
    fn from(methods: [&str; N]) -> Self {
        Self(methods.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("*") } else { f.write_str(&self.0.join(",")) }
    }
}

/// The rules of one path, by method.
#[derive(Debug, Default)]
pub(super) struct MethodRules {
    own: Vec<(Box<str>, Arc<RouteRule>)>,
    any: Option<Arc<RouteRule>>,
}

impl MethodRules {
    pub(super) fn insert(&mut self, method: Option<&str>, rule: Arc<RouteRule>) {
        match method {
            Some(method) => self.own.push((method.into(), rule)),
            None => self.any = Some(rule),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<RouteRule>> {
        self.own.iter().map(|(_, rule)| rule).chain(&self.any)
    }

    pub(super) fn find(&self, method: &str) -> Option<&Arc<RouteRule>> {
        let own = |wanted: &str| self.own.iter().find(|(name, _)| **name == *wanted).map(|(_, rule)| rule);
        let rule = own(method).or_else(|| if method == "HEAD" { own("GET") } else { None });
        rule.or_else(|| self.any.as_ref().filter(|_| self.own.is_empty() || !has_small_letters(method)))
    }
}

/// An upstream may take `get` for GET, whose rule must then not be passed by under the name of any other method.
fn has_small_letters(method: &str) -> bool {
    method.bytes().any(|byte| byte.is_ascii_lowercase())
}
