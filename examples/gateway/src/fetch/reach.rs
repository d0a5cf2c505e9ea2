//! Which addresses are asked: those of the public Internet, and of the networks that the configuration names.
//!
//! An address that somebody else chose — a provider's configuration, a name in somebody else's zone — must not lead to
//! services that trust whoever is inside. So a name is resolved once, each of its addresses is looked at, and the connection
//! goes to an address that was looked at: there is no second look at the name that could be told something else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_core::{NetworkSet, Pending};
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

/// The networks that the public Internet does not lead to (IANA's special-purpose registries, RFC 6890).
const NOT_PUBLIC: [&str; 23] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96", // unspecified, loopback, and IPv4 as it was once written
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// Looks names up; a resolver of a test's own says what it likes.
pub(crate) trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, host: String) -> Pending<io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, host: String) -> Pending<io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect()) })
    }
}

/// Which addresses are asked, and what looks them up. It is what the connector resolves names with, so that it connects to
/// nothing else.
#[derive(Clone)]
pub(crate) struct Reach(Arc<Inner>);

struct Inner {
    not_public: NetworkSet,
    /// The networks that are asked all the same.
    allowed: NetworkSet,
    lookup: Box<dyn Lookup>,
}

impl Reach {
    pub(crate) fn new(allowed: NetworkSet, lookup: impl Lookup) -> Self {
        // the list is sound, as a test shows; were it not, nothing could be reached
        let not_public = NetworkSet::parse(NOT_PUBLIC);
        let everything = || NetworkSet::parse(["0.0.0.0/0", "::/0"]).unwrap_or_default();
        let not_public = not_public.unwrap_or_else(|_| everything());
        Self(Arc::new(Inner { not_public, allowed, lookup: Box::new(lookup) }))
    }

    /// Whether an address is asked.
    pub(crate) fn covers(&self, address: IpAddr) -> bool {
        let inner = &*self.0;
        let meant = [Some(address), embedded(address).map(IpAddr::V4)];
        // whichever way it is written, it leads to one and the same machine
        let mut meant = meant.into_iter().flatten();
        meant.clone().any(|address| inner.allowed.contains(address))
            || !meant.any(|address| inner.not_public.contains(address))
    }

    /// The addresses of a name that are asked.
    async fn addresses(self, host: String) -> io::Result<std::vec::IntoIter<SocketAddr>> {
        let found = self.0.lookup.lookup(host).await?;
        let reached: Vec<SocketAddr> =
            found.iter().filter(|address| self.covers(**address)).map(|address| SocketAddr::new(*address, 0)).collect();
        match found.first() {
            Some(refused) if reached.is_empty() => Err(io::Error::new(io::ErrorKind::PermissionDenied, why(*refused))),
            _ => Ok(reached.into_iter()),
        }
    }
}

/// Why an address is not asked; for logs.
pub(crate) fn why(address: IpAddr) -> String {
    format!(
        "its address {address} is not public: name its network in `private_networks` if it is the one that is meant"
    )
}

/// The IPv4 address that an IPv6 address leads to: mapped (RFC 4291 section 2.5.5.2), translated (RFC 6052) or tunnelled
/// (RFC 3056).
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, ..] = address.segments();
    let last = || Ipv4Addr::from_bits(u32::try_from(address.to_bits() & u128::from(u32::MAX)).unwrap_or_default());
    match (a, b, c) {
        (0x64, 0xff9b, 0) => Some(last()),
        (0x2002, high, low) => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => address.to_ipv4_mapped(),
    }
}

impl Service<Name> for Reach {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pending<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().addresses(name.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    fn covers(allowed: &[&str], address: &str) -> bool {
        Reach::new(NetworkSet::parse(allowed.iter().copied()).unwrap(), System).covers(address.parse().unwrap())
    }

    #[test]
    fn the_public_internet_is_asked_and_nothing_else() {
        assert!(NetworkSet::parse(NOT_PUBLIC).is_ok());
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
        {
            assert!(covers(&[], public), "{public}");
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!covers(&[], private), "{private}");
        }
    }

    #[test]
    fn networks_that_are_named_are_asked() {
        for (network, there, not_there) in [
            ("10.1.0.0/16", "10.1.2.3", "10.2.0.1"),
            ("10.1.0.0/16", "::ffff:10.1.2.3", "::ffff:10.2.0.1"),
            ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
            ("fd00::/8", "fd12::1", "fc12::1"),
        ] {
            assert!(covers(&[network], there) && !covers(&[network], not_there), "{network}");
            assert!(covers(&[network], "1.1.1.1"), "{network}: what is public is asked all the same");
        }
    }
}
