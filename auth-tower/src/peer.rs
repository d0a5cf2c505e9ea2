//! The address at the other end of the connection.

use std::net::IpAddr;

use http::Extensions;

/// The peer's address in a request's extensions, for servers that are not axum's.
///
/// axum's own `into_make_service_with_connect_info::<SocketAddr>()` is understood as well. A request with neither has
/// no known address: rules that demand a network then refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    let own = extensions.get::<PeerAddress>().map(|peer| peer.0);
    own.or_else(|| axum_peer_address(extensions))
}

#[cfg(feature = "axum")]
fn axum_peer_address(extensions: &Extensions) -> Option<IpAddr> {
    let info = extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>();
    info.map(|info| info.0.ip())
}

#[cfg(not(feature = "axum"))]
fn axum_peer_address(_: &Extensions) -> Option<IpAddr> {
    None
}
