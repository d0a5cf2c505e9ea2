//! Sets of networks, for allow-lists and for the list of trusted proxies.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::ConfigError;

/// A set of IPv4 and IPv6 networks.
///
/// An IPv4 address that travels as an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is the IPv4 address here.
///
/// ```
/// use auth_core::NetworkSet;
///
/// let office = NetworkSet::parse(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])?;
/// assert!(office.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!office.contains("11.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSet(Vec<IpNet>);

impl NetworkSet {
    /// The most networks in an allow-list of an account, a tenant or a key: access tokens carry what the lists of all
    /// three have in common, and have to fit into a header.
    pub const MAX_ALLOWED: usize = 32;

    /// Reads networks in CIDR notation; a bare address is the network of that one address.
    ///
    /// # Errors
    /// Names the first text that is neither, or that has bits set behind its prefix (`10.0.0.1/8`), since one of the
    /// two numbers must then be a slip.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        networks.into_iter().map(parse_network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the address lies in one of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether every network of the other set lies within one of these.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|inner| self.0.iter().any(|outer| outer.contains(inner)))
    }

    /// What both sets have: an address lies in it if it lies in each of the two. None where one of them says nothing.
    pub fn meet(one: Option<&Arc<Self>>, other: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        match (one, other) {
            (Some(one), Some(other)) if one == other => Some(Arc::clone(one)),
            (Some(one), Some(other)) => Some(Arc::new(one.intersection(other))),
            (one, other) => one.or(other).cloned(),
        }
    }

    /// Two networks lie apart or one within the other, so that what both sets have is made of networks of theirs.
    fn intersection(&self, other: &Self) -> Self {
        let within = |inner: &Self, outer: &Self| -> Vec<IpNet> {
            let is_covered = |network: &&IpNet| outer.0.iter().any(|outer| outer.contains(*network));
            inner.0.iter().filter(is_covered).copied().collect()
        };
        let mut common = within(self, other);
        for network in within(other, self) {
            if !common.iter().any(|known| known.contains(&network)) {
                common.push(network);
            }
        }
        Self(common)
    }

    /// How many networks are in the set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are too many for an allow-list of an account, a tenant or a key: more than
    /// [`MAX_ALLOWED`](Self::MAX_ALLOWED).
    pub fn is_too_long(&self) -> bool {
        self.len() > Self::MAX_ALLOWED
    }

    /// The networks in CIDR notation, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = impl fmt::Display + '_> {
        self.0.iter()
    }

    /// Whether no network is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The networks in CIDR notation, with a comma and a space between two.
impl fmt::Display for NetworkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, network) in self.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}{network}")?;
        }
        Ok(())
    }
}

fn parse_network(text: &str) -> Result<IpNet, ConfigError> {
    let trimmed = text.trim();
    if let Ok(address) = IpAddr::from_str(trimmed) {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let network = IpNet::from_str(trimmed).map_err(|_| {
        ConfigError::new(format!("`{text}` is not a network: write an address or CIDR such as 10.0.0.0/8"))
    })?;
    if network.addr() != network.network() {
        let meant = network.trunc();
        return Err(ConfigError::new(format!(
            "`{text}` has bits set behind its prefix: write {meant} if that is meant"
        )));
    }
    Ok(fold_mapped(network))
}

/// `::ffff:10.0.0.0/104` means the IPv4 network `10.0.0.0/8`.
fn fold_mapped(network: IpNet) -> IpNet {
    if let IpNet::V6(v6) = network
        && let Some(v4) = v6.network().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(folded) = ipnet::Ipv4Net::new(v4, prefix)
    {
        return IpNet::V4(folded);
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_networks_are_their_ipv4_networks() {
        let set = NetworkSet::parse(["::ffff:10.0.0.0/104"]).unwrap();
        assert!(set.contains("10.9.9.9".parse().unwrap()));
        assert!(!set.contains("11.0.0.0".parse().unwrap()));
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        let set = NetworkSet::parse(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::ffff:10.0.0.0/104"]).unwrap();
        assert_eq!(set.to_string(), "10.0.0.0/8, 2001:db8::/32, 192.0.2.7/32, 10.0.0.0/8");
        let texts: Vec<String> = set.iter().map(|network| network.to_string()).collect();
        assert_eq!(NetworkSet::parse(texts.iter().map(String::as_str)), Ok(set));
    }

    #[test]
    fn a_set_covers_what_lies_within_its_networks() {
        let outer = NetworkSet::parse(["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        for (inner, is_covered) in
            [("10.1.0.0/16", true), ("10.0.0.0/8", true), ("10.0.0.0/7", false), ("2001:db8::1", true), ("::1", false)]
        {
            assert_eq!(outer.covers(&NetworkSet::parse([inner]).unwrap()), is_covered, "{inner}");
        }
        assert!(outer.covers(&NetworkSet::default()));
    }

    #[test]
    fn slips_are_named() {
        for (text, part) in
            [("10.0.0.1/8", "10.0.0.0/8"), ("10.0.0.0/33", "not a network"), ("localhost", "not a network")]
        {
            let error = NetworkSet::parse([text]).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn m6_what_two_lists_have_in_common_is_in_both() {
        let set = |texts: &[&str]| Arc::new(NetworkSet::parse(texts.iter().copied()).unwrap());
        let one = set(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "203.0.113.0/24"]);
        let other = set(&["10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24"]);
        let common = NetworkSet::meet(Some(&one), Some(&other)).unwrap();
        for address in ["10.1.2.3", "10.2.0.1", "192.0.2.7", "192.0.2.8", "2001:db8::1", "203.0.113.1", "198.51.100.1"]
        {
            let address = address.parse().unwrap();
            assert_eq!(common.contains(address), one.contains(address) && other.contains(address), "{address}");
        }
        assert_eq!(common, NetworkSet::meet(Some(&common), Some(&one)).unwrap());
        assert!(NetworkSet::meet(Some(&one), Some(&set(&["172.16.0.0/12"]))).unwrap().is_empty());
        assert_eq!(NetworkSet::meet(Some(&one), None), Some(one));
        assert_eq!(NetworkSet::meet(None, None), None);
    }
}
