//! Where in the claims the fields of the principal are.

use crate::json::{Fingerprint, Name, Object, Value};

/// A claim by its name, or a member inside one by the names that lead to it.
///
/// A single name is taken as it is: dots and slashes are part of it, because claims like `https://example.com/roles`
/// exist. A way inwards is a list of names.
///
/// ```
/// use auth_core::verify::jwt::ClaimPath;
///
/// let own = ClaimPath::from("https://example.com/roles");
/// let keycloak = ClaimPath::from(["realm_access", "roles"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    names: Vec<Box<str>>,
    /// Of the first name.
    fingerprint: Fingerprint,
}

impl From<&str> for ClaimPath {
    fn from(name: &str) -> Self {
        Self::new(vec![name.into()])
    }
}

impl From<String> for ClaimPath {
    fn from(name: String) -> Self {
        Self::new(vec![name.into()])
    }
}

impl<const N: usize> From<[&str; N]> for ClaimPath {
    fn from(names: [&str; N]) -> Self {
        Self::new(names.into_iter().map(Into::into).collect())
    }
}

impl From<Vec<String>> for ClaimPath {
    fn from(names: Vec<String>) -> Self {
        Self::new(names.into_iter().map(Into::into).collect())
    }
}

impl ClaimPath {
    fn new(names: Vec<Box<str>>) -> Self {
        let fingerprint = names.first().map(|first| Fingerprint::of(first.as_bytes())).unwrap_or_default();
        Self { names, fingerprint }
    }

    /// What is there; `null` is nothing.
    pub(super) fn find<'t>(&self, members: Object<'t, '_>) -> Option<Value<'t>> {
        let (first, inner) = self.names.split_first()?;
        let first = members.find(Name::known(first, self.fingerprint))?;
        let value = inner.iter().try_fold(first, |value, name| value.member(name))?;
        (!value.is_null()).then_some(value)
    }
}

/// In which form the scopes of a token come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeShape {
    /// One string, delimited by spaces (RFC 9068 section 2.2.3, RFC 8693 section 4.2). An array is ignored.
    Delimited,
    /// Such a string, or an array of strings as some issuers write it.
    DelimitedOrList,
}

/// What the scopes of a token are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeUse {
    /// They count among the permissions, so that routes need not know by which way a permission came.
    GrantPermissions,
    /// They are kept apart, for rules that ask for scopes.
    KeptApart,
}

/// Where the principal's fields come from.
///
/// The default, which each method replaces for its field:
///
/// | field | claim |
/// |---|---|
/// | scopes | `scope`, one string delimited by spaces; they count as permissions too |
/// | permissions | `permissions`, an array of strings |
/// | roles | `roles`, an array of strings |
/// | tenant | `tenant`, a string |
/// | plan | `plan`, a string |
/// | session | `sid`, a string, by which everything of a session can be revoked |
/// | networks | none: an issuer of one's own may bind its tokens to [networks](Self::networks) |
/// | origins | none: an issuer of one's own may say what its tokens [were made of](Self::origins) |
///
/// The subject is `sub` and the credential's id is `jti`, always. Arrays of another shape are ignored, which grants
/// nothing; a tenant, plan, session or networks of another shape refuses the token, because taking it for absent could open what it was
/// meant to close. An array counts as a whole or not at all: one item that is not a string voids it.
///
/// ```
/// use auth_core::verify::jwt::{ClaimMapping, ClaimPath, ScopeShape};
///
/// let keycloak = ClaimMapping::default()
///     .roles([ClaimPath::from(["realm_access", "roles"]), "groups".into()])
///     .tenant("organization");
/// let entra = ClaimMapping::default().scopes("scp", ScopeShape::Delimited).tenant("tid");
/// ```
#[derive(Clone, Debug)]
pub struct ClaimMapping {
    pub(super) scopes: ClaimPath,
    pub(super) scope_shape: ScopeShape,
    pub(super) scope_use: ScopeUse,
    pub(super) permissions: Vec<ClaimPath>,
    pub(super) roles: Vec<ClaimPath>,
    pub(super) tenant: Option<ClaimPath>,
    pub(super) plan: Option<ClaimPath>,
    pub(super) session: Option<ClaimPath>,
    pub(super) networks: Option<ClaimPath>,
    pub(super) origins: Option<ClaimPath>,
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            scopes: "scope".into(),
            scope_shape: ScopeShape::Delimited,
            scope_use: ScopeUse::GrantPermissions,
            permissions: vec!["permissions".into()],
            roles: vec!["roles".into()],
            tenant: Some("tenant".into()),
            plan: Some("plan".into()),
            session: Some("sid".into()),
            networks: None,
            origins: None,
        }
    }
}

impl ClaimMapping {
    /// Where the scopes are, and in which form.
    #[must_use]
    pub fn scopes(self, path: impl Into<ClaimPath>, shape: ScopeShape) -> Self {
        Self { scopes: path.into(), scope_shape: shape, ..self }
    }

    /// Whether scopes count as permissions; they do by default.
    #[must_use]
    pub fn scope_use(self, scope_use: ScopeUse) -> Self {
        Self { scope_use, ..self }
    }

    /// Where the permissions are: arrays of strings, taken together.
    #[must_use]
    pub fn permissions(self, paths: impl IntoIterator<Item = impl Into<ClaimPath>>) -> Self {
        Self { permissions: paths.into_iter().map(Into::into).collect(), ..self }
    }

    /// Where the roles are: arrays of strings, taken together. Groups belong here.
    #[must_use]
    pub fn roles(self, paths: impl IntoIterator<Item = impl Into<ClaimPath>>) -> Self {
        Self { roles: paths.into_iter().map(Into::into).collect(), ..self }
    }

    /// Where the tenant is.
    #[must_use]
    pub fn tenant(self, path: impl Into<ClaimPath>) -> Self {
        Self { tenant: Some(path.into()), ..self }
    }

    /// Where the plan is.
    #[must_use]
    pub fn plan(self, path: impl Into<ClaimPath>) -> Self {
        Self { plan: Some(path.into()), ..self }
    }

    /// Where the id of the session is.
    #[must_use]
    pub fn session(self, path: impl Into<ClaimPath>) -> Self {
        Self { session: Some(path.into()), ..self }
    }

    /// Where the networks are that the token may be used from: an array of addresses and networks in CIDR notation. A
    /// token without the claim may be used from everywhere, and one with an empty array from nowhere.
    ///
    /// Nothing is read by default: only an issuer that means the same addresses as this service can say so.
    #[must_use]
    pub fn networks(self, path: impl Into<ClaimPath>) -> Self {
        Self { networks: Some(path.into()), ..self }
    }

    /// Where it is said what the token was made of, so that it ends with each of them: an array of objects with `sub` and,
    /// where there are such, `iss` (the token's own where it is left out), `jti`, `sid` and `iat`. Anything else refuses the
    /// token.
    ///
    /// Nothing is read by default: only an issuer of one's own, such as
    /// [`AccessTokenIssuer`](crate::issue::AccessTokenIssuer), writes this.
    #[must_use]
    pub fn origins(self, path: impl Into<ClaimPath>) -> Self {
        Self { origins: Some(path.into()), ..self }
    }

    /// Takes no tenant from the token.
    #[must_use]
    pub fn without_tenant(self) -> Self {
        Self { tenant: None, ..self }
    }

    /// Takes no plan from the token.
    #[must_use]
    pub fn without_plan(self) -> Self {
        Self { plan: None, ..self }
    }
}
