//! The address at the other end of the connection.

use std::net::IpAddr;

use http::Extensions;

/// The peer's address in a request's extensions, where the layer looks for it unless it is told otherwise by
/// [`AuthLayer::peer_from`](crate::AuthLayer::peer_from).
///
/// A request without a known address is refused by rules and keys that demand a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// Finds the peer's address in a request's extensions.
pub(crate) type PeerFrom = fn(&Extensions) -> Option<IpAddr>;

pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<PeerAddress>().map(|peer| peer.0)
}
