//! Which upstreams are believed: those with a certificate for the name in their URL, from a known authority.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Trusts the authorities that the system trusts.
pub(crate) fn trusting_system() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // an authority that cannot be read is one that is not trusted
    let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "this system knows no certificate authority: install its CA certificates, or write `ca_file`".into()
        );
    }
    trusting(roots)
}

/// Trusts the authorities of this PEM file and no others.
pub(crate) fn trusting_file(file: &Path) -> Result<ClientConfig, String> {
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        added.ok_or_else(|| format!("{} holds something that is no certificate", file.display()))?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate in PEM", file.display()));
    }
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, String> {
    // The provider is named: a process-wide default could be missing, or another one.
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
