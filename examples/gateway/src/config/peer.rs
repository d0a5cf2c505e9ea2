//! Somebody whom the gateway asks: where, and whose certificates are believed there.

use std::sync::Arc;

use auth_core::fetch::is_safe;
use rustls::ClientConfig;

use super::node::FromNode as _;
use super::section::Section;
use super::values::{Content, Text};
use crate::problem::Placed;
use crate::tls::client;

/// An address that may be asked.
pub(super) fn url(section: &mut Section<'_>, key: &'static str) -> Option<Placed<String>> {
    let url = section.required_placed::<Text>(key)?.map(|Text(url)| url);
    if !is_safe(&url.value) {
        let why = "must be an https URL, or http on a literal loopback address such as http://127.0.0.1:3000";
        return section.node(key)?.problem(why);
    }
    Some(url)
}

/// Certificates are checked, always: against the authorities that the system trusts, or against those of `ca_file` alone.
pub(super) fn tls(section: &mut Section<'_>) -> Option<Arc<ClientConfig>> {
    let authorities = section.node("ca_file");
    let trusting = match &authorities {
        Some(node) => {
            client::trusting_file(&Content::from_node(node)?.0).or_else(|error| node.problem(error).ok_or(()))
        }
        None => client::trusting_system().or_else(|error| section.problem(error).ok_or(())),
    };
    trusting.ok().map(Arc::new)
}
