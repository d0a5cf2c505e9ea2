//! `tower_governor`: one budget per address, told in header fields.

use axum::Router;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

use crate::workload::Fallible;

/// At a rate that one loop does not reach.
pub(crate) fn around(router: Router) -> Fallible<Router> {
    let config = GovernorConfigBuilder::default().per_nanosecond(100).burst_size(1_000_000).use_headers().finish();
    Ok(router.layer(GovernorLayer::new(config.ok_or("a quota is more than nothing")?)))
}
