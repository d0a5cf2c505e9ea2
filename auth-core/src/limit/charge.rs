//! What a budget belongs to, and what a request costs. Borrowed: describing a charge allocates nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::BitOr;
use std::slice;
use std::str::FromStr;

use super::{Limit, Quota};
use crate::ConfigError;

/// How many budgets one request may be charged against; it bounds what one step of a store locks.
pub const MAX_CHARGES: usize = 8;

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
pub struct Scope(u8);

impl Scope {
    /// One budget for everybody.
    pub const EVERYBODY: Self = Self(0);
    /// One budget for each principal.
    pub const PRINCIPAL: Self = Self(1);
    /// One for each key or token; those of different issuers are different.
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
    fn present_in(self, facts: &Facts<'_>) -> Self {
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

/// What one budget is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The name of the limit. Limits of different names have different budgets.
    pub policy: &'a str,
    /// What the budget belongs to.
    pub scope: Scope,
    /// How much it holds. Quotas of one rate share the budget, whatever their bursts; another rate is another budget,
    /// because an instant that was reckoned with one rate says nothing under another. Allowances of one period share
    /// the budget, whatever their counts: what was spent counts against each of them.
    pub quota: Quota,
    /// How many units. Zero asks and takes nothing.
    pub units: u32,
}

/// One thing that a budget is told apart by.
enum Part<'a> {
    Text(&'a str),
    Network(Option<Network>),
}

impl Charge<'_> {
    /// The parts that tell this budget apart, each with the letter it has in the text.
    #[inline]
    fn each_part<'f>(scope: Scope, facts: &Facts<'f>, mut visit: impl FnMut(char, Part<'f>)) {
        let (issuer, subject) = facts.principal.unwrap_or_default();
        let mut text = |part: Scope, letter: char, text: Option<&'f str>| {
            if scope.covers(part) {
                visit(letter, Part::Text(text.unwrap_or_default()));
            }
        };
        text(Scope::PRINCIPAL, 'i', Some(issuer));
        text(Scope::PRINCIPAL, 's', Some(subject));
        text(Scope::CREDENTIAL, 'k', Some(issuer));
        text(Scope::CREDENTIAL, 'c', facts.credential);
        text(Scope::TENANT, 't', facts.tenant);
        text(Scope::PLAN, 'p', facts.plan);
        text(Scope::ROUTE, 'r', facts.route);
        if scope.covers(Scope::NETWORK) {
            visit('n', Part::Network(facts.network));
        }
    }

    /// Tells what this budget is told apart by; no two budgets tell the same.
    ///
    /// What is told first says which texts will follow.
    pub(crate) fn tell_owner(&self, facts: &Facts<'_>, told: &mut impl Told) {
        let (scope, (count, per)) = (self.scope.present_in(facts), self.quota.kind());
        told.numbers(u64::from(count) << 8 | u64::from(scope.0), per);
        told.text(self.policy);
        Self::each_part(scope, facts, |_, part| match part {
            Part::Text(text) => told.text(text),
            Part::Network(network) => {
                let (kind, bits) = network.map_or((0, 0), Network::numbers);
                told.numbers(kind, bits);
            }
        });
    }

    /// The budget's name as text, for stores that keep budgets by name; no two budgets have the same.
    ///
    /// It holds what tells the owner apart as it is, so a store that others can read should keep a keyed hash of it.
    pub fn budget<'a>(&'a self, facts: &'a Facts<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            match self.quota {
                Quota::Rate(_) => {
                    let (count, per) = self.quota.kind();
                    write!(f, "{}:{count}/{per}", Escaped(self.policy))?;
                }
                Quota::Allowance(allowance) => write!(f, "{}:{}", Escaped(self.policy), allowance.period())?,
            }
            let mut written = Ok(());
            Self::each_part(self.scope.present_in(facts), facts, |letter, part| {
                written = written.and_then(|()| match part {
                    Part::Text(text) => write!(f, ":{letter}={}", Escaped(text)),
                    Part::Network(Some(network)) => write!(f, ":{letter}={}", Escaped(&network.to_string())),
                    Part::Network(None) => write!(f, ":{letter}"),
                });
            });
            written
        })
    }
}

/// Who is told what tells budgets apart.
pub(crate) trait Told {
    /// Two numbers.
    fn numbers(&mut self, one: u64, other: u64);
    /// One text, whole.
    fn text(&mut self, text: &str);
}

/// A text without the characters that part a budget's name; `%` and the two digits of their codes instead.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_special = |character: char| matches!(character, '%' | ':' | '=' | ' ') || character.is_ascii_control();
        let mut rest = self.0;
        while let Some(at) = rest.find(is_special) {
            let (plain, special) = rest.split_at(at);
            write!(f, "{plain}%{:02X}", special.as_bytes().first().copied().unwrap_or_default())?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// All that one request is charged for: at most [`MAX_CHARGES`], spent in one step.
///
/// It borrows everything: copying what it speaks of would cost as much as spending it.
#[derive(Clone, Copy, Debug)]
pub struct Charges<'a> {
    facts: &'a Facts<'a>,
    all: All<'a>,
}

#[derive(Clone, Copy, Debug)]
enum All<'a> {
    Charges(&'a [Charge<'a>]),
    /// Each limit once, for so many units.
    Limits(&'a [Limit], u32),
}

impl<'a> Charges<'a> {
    /// These charges of one request.
    ///
    /// # Errors
    /// More than [`MAX_CHARGES`].
    #[inline]
    pub fn new(facts: &'a Facts<'a>, charges: &'a [Charge<'a>]) -> Result<Self, ConfigError> {
        if charges.len() > MAX_CHARGES {
            return Err(ConfigError::new(format!(
                "a request is charged against at most {MAX_CHARGES} budgets, not {}: leave some out",
                charges.len()
            )));
        }
        Ok(Self { facts, all: All::Charges(charges) })
    }

    /// A single charge.
    pub(crate) fn single(facts: &'a Facts<'a>, charge: &'a Charge<'a>) -> Self {
        Self { facts, all: All::Charges(slice::from_ref(charge)) }
    }

    /// The first [`MAX_CHARGES`] limits.
    pub(super) fn of_limits(facts: &'a Facts<'a>, limits: &'a [Limit], units: u32) -> Self {
        Self { facts, all: All::Limits(limits.get(..MAX_CHARGES).unwrap_or(limits), units) }
    }

    /// Whose charges they are.
    pub const fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// How many they are.
    pub const fn len(&self) -> usize {
        match self.all {
            All::Charges(charges) => charges.len(),
            All::Limits(limits, _) => limits.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The charge at a place; the first is at 0.
    #[inline]
    pub fn at(&self, place: usize) -> Option<Charge<'a>> {
        match self.all {
            All::Charges(charges) => charges.get(place).copied(),
            All::Limits(limits, units) => {
                let limit = limits.get(place)?;
                Some(Charge { policy: limit.name(), scope: limit.scope(), quota: *limit.quota(), units })
            }
        }
    }

    /// The charges, in their order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Charge<'a>> + use<'a> {
        let these = *self;
        (0..self.len()).filter_map(move |place| these.at(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts<'_> = Facts {
        principal: Some(("https://issuer", "alice")),
        credential: Some("key:1"),
        tenant: Some("acme"),
        plan: Some("pro"),
        route: Some("/v1/{id}"),
        network: None,
    };

    fn name(scope: &str, facts: &Facts<'_>) -> String {
        let quota = "10/s".parse().unwrap();
        Charge { policy: "per second", scope: scope.parse().unwrap(), quota, units: 1 }.budget(facts).to_string()
    }

    #[test]
    fn a_budget_has_one_name() {
        let facts = Facts { network: Some(Network::of("192.0.2.7".parse().unwrap())), ..FACTS };
        for (scope, expected) in [
            ("principal", ":i=https%3A//issuer:s=alice"),
            ("key", ":k=https%3A//issuer:c=key%3A1"),
            ("tenant+route", ":t=acme:r=/v1/{id}"),
            ("plan + address", ":p=pro:n=192.0.2.7"),
            ("everybody", ""),
        ] {
            assert_eq!(name(scope, &facts), format!("per%20second:10/1000000000{expected}"));
        }
        let v6 = Facts { network: Some(Network::of("2001:db8::7".parse().unwrap())), ..FACTS };
        assert!(name("address", &v6).ends_with(":n=2001%3Adb8%3A%3A/64"));
    }

    #[test]
    fn nobody_escapes_a_limit_by_lacking_something() {
        let bare = Facts { credential: None, tenant: None, ..FACTS };
        assert_eq!(name("tenant", &bare), name("principal", &bare));
        assert_eq!(name("key", &bare), name("principal", &bare));
        let anonymous = Facts { network: Some(Network::of("192.0.2.7".parse().unwrap())), ..Facts::default() };
        assert_eq!(name("tenant+route", &anonymous), name("address+route", &anonymous));
        assert_eq!(name("principal", &Facts::default()), name("address", &Facts::default()));
    }

    #[test]
    fn scopes_are_read_and_printed() {
        for text in ["everybody", "principal", "key", "tenant+route", "principal+key+tenant+plan+route+address"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "user", "tenant,route", "tenant+"] {
            assert!(text.parse::<Scope>().unwrap_err().to_string().contains("address, several with +"), "{text}");
        }
    }

    /// What was told.
    #[derive(Default)]
    struct Heard(Vec<(u64, u64, String)>);

    impl Told for Heard {
        fn numbers(&mut self, one: u64, other: u64) {
            self.0.push((one, other, String::new()));
        }

        fn text(&mut self, text: &str) {
            self.0.push((0, 0, text.to_owned()));
        }
    }

    #[test]
    fn what_is_told_differs_wherever_the_name_differs() {
        let mut seen = std::collections::BTreeMap::new();
        let texts = [None, Some(""), Some("a"), Some("ab"), Some("b")];
        let quotas = [
            "1/s",
            "1/s burst 5",
            "2/s",
            "1/m",
            "1/calendar hour",
            "2/calendar hour",
            "1/calendar day",
            "1/calendar month",
        ];
        for bits in 0..64_u8 {
            for (first, second) in texts.iter().flat_map(|first| texts.iter().map(move |second| (*first, *second))) {
                for (quota, policy) in quotas.iter().flat_map(|quota| [(*quota, "a"), (*quota, "")]) {
                    let facts = Facts {
                        principal: first.zip(second),
                        credential: second,
                        tenant: first,
                        route: second,
                        network: first.map(|_| Network::of("192.0.2.7".parse().unwrap())),
                        plan: None,
                    };
                    let charge = Charge { policy, scope: Scope(bits), quota: quota.parse().unwrap(), units: 1 };
                    let mut heard = Heard::default();
                    charge.tell_owner(&facts, &mut heard);
                    let name = charge.budget(&facts).to_string();
                    assert_eq!(seen.entry(heard.0).or_insert_with(|| name.clone()), &name);
                }
            }
        }
        let names: std::collections::BTreeSet<_> = seen.values().collect();
        assert_eq!(names.len(), seen.len());
    }

    #[test]
    fn there_is_room_for_eight() {
        let charge = Charge { policy: "", scope: Scope::EVERYBODY, quota: "1/s".parse().unwrap(), units: 1 };
        assert_eq!(Charges::new(&FACTS, &[charge; 8]).unwrap().len(), 8);
        assert!(Charges::new(&FACTS, &[charge; 9]).unwrap_err().to_string().contains("at most 8"));
    }
}
