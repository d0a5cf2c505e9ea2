//! Who asks for what, and what a budget belongs to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::BitOr;
use std::str::FromStr;

use crate::ConfigError;

/// Who asks for what, as far as budgets are concerned.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Facts<'a> {
    /// The principal: issuer and subject, which name it together (RFC 7519 section 4.1.2).
    pub principal: Option<(&'a str, &'a str)>,
    /// The id of the key or of the token.
    pub credential: Option<&'a str>,
    /// The tenant or organisation.
    pub tenant: Option<&'a str>,
    /// The name of the plan.
    pub plan: Option<&'a str>,
    /// The name of the route.
    pub route: Option<&'a str>,
    /// Where the request comes from.
    pub network: Option<Network>,
}

/// The network that counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that name a network.
///
/// Whoever has an IPv6 address has 2⁶⁴ of them, so that counting single ones would bound nothing.
///
/// ```
/// use auth_core::limit::Network;
/// use std::net::IpAddr;
///
/// let of = |address: &str| address.parse::<IpAddr>().map(Network::of);
/// assert_eq!(of("2001:db8::1")?, of("2001:db8::ffff:1")?);
/// assert_eq!(of("::ffff:192.0.2.7")?, of("192.0.2.7")?);
/// assert_eq!(of("2001:db8::1")?.to_string(), "2001:db8::/64");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(Prefix);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Prefix {
    V4(u32),
    V6(u64),
}

impl Network {
    /// The network of an address. An IPv4-mapped IPv6 address is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(Prefix::V4(address.to_bits())),
            IpAddr::V6(address) => {
                let prefix = address.to_bits() >> 64;
                Self(Prefix::V6(u64::try_from(prefix).unwrap_or_default()))
            }
        }
    }

    /// The kind, which is not 0, and the bits; no two networks have the same.
    pub(crate) fn numbers(self) -> (u64, u64) {
        match self.0 {
            Prefix::V4(bits) => (4, u64::from(bits)),
            Prefix::V6(bits) => (6, bits),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Prefix::V4(bits) => Ipv4Addr::from_bits(bits).fmt(f),
            Prefix::V6(bits) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(bits) << 64)),
        }
    }
}

/// What a budget belongs to: any combination of the parts; without a part, one budget for everybody.
///
/// A part that a request has not got is replaced by one that it has, so that nobody escapes a limit by having no
/// tenant: tenant and credential by the principal, the principal by the network. Requests from nowhere known share
/// one budget.
///
/// ```
/// use auth_core::limit::Scope;
///
/// assert_eq!("tenant+route".parse(), Ok(Scope::TENANT | Scope::ROUTE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(pub(super) u8);

impl Scope {
    /// One budget for everybody.
    pub const EVERYBODY: Self = Self(0);
    /// One budget for each principal.
    pub const PRINCIPAL: Self = Self(1);
    /// One for each key or token, by its id; those of different issuers are different. Whoever can have as many tokens as it
    /// likes has as many budgets: bound these callers by [`PRINCIPAL`](Self::PRINCIPAL).
    pub const CREDENTIAL: Self = Self(2);
    /// One for each tenant.
    pub const TENANT: Self = Self(4);
    /// One for each plan.
    pub const PLAN: Self = Self(8);
    /// One for each route.
    pub const ROUTE: Self = Self(16);
    /// One for each client network: an IPv4 address, or an IPv6 /64.
    pub const NETWORK: Self = Self(32);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::PRINCIPAL, "principal"),
        (Self::CREDENTIAL, "key"),
        (Self::TENANT, "tenant"),
        (Self::PLAN, "plan"),
        (Self::ROUTE, "route"),
        (Self::NETWORK, "address"),
    ];

    /// Whether all parts of the other are parts of this.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The parts that stand for this scope where some are missing.
    pub(super) fn present_in(self, facts: &Facts<'_>) -> Self {
        let mut scope = self;
        let mut replace = |part: Self, is_missing: bool, by: Self| {
            if is_missing && scope.covers(part) {
                scope = Self(scope.0 & !part.0 | by.0);
            }
        };
        replace(Self::CREDENTIAL, facts.credential.is_none(), Self::PRINCIPAL);
        replace(Self::TENANT, facts.tenant.is_none(), Self::PRINCIPAL);
        replace(Self::PRINCIPAL, facts.principal.is_none(), Self::NETWORK);
        scope
    }
}

impl BitOr for Scope {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Reads `everybody`, or `principal`, `key`, `tenant`, `plan`, `route` and `address`, several with `+` between them.
impl FromStr for Scope {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.trim() == "everybody" {
            return Ok(Self::EVERYBODY);
        }
        text.split('+').try_fold(Self::EVERYBODY, |so_far, name| {
            let name = name.trim();
            let part = Self::NAMES.into_iter().find(|(_, known)| *known == name).ok_or_else(|| {
                ConfigError::new(format!(
                    "`{name}` is nothing a budget can belong to: write principal, key, tenant, plan, route or \
                     address, several with + between them, or everybody"
                ))
            })?;
            Ok(so_far | part.0)
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::EVERYBODY {
            return f.write_str("everybody");
        }
        let mut separator = "";
        for (part, name) in Self::NAMES {
            if self.covers(part) {
                write!(f, "{separator}{name}")?;
                separator = "+";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_printed() {
        for text in ["everybody", "principal", "key", "tenant+route", "principal+key+tenant+plan+route+address"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "user", "tenant,route", "tenant+"] {
            assert!(text.parse::<Scope>().unwrap_err().to_string().contains("address, several with +"), "{text}");
        }
    }
}
