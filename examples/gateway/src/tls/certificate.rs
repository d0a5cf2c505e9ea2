//! The certificate, and taking up a new one without dropping connections.
//!
//! The files are read again every second and compared by content: renewal tools write in place, rename, or swap a
//! link, and not every file system tells. What does not parse or does not fit together, such as a key that was renewed
//! a moment before its certificate, is not taken up; the old pair stays until a whole new one is there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth_core::ConfigError;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config;
use crate::problem::Problem;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// A certificate that follows its files.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

impl Tls {
    /// The certificate of the configuration.
    ///
    /// # Errors
    /// As [`Tls::load`], with the place in the file.
    pub fn configured(tls: &config::Tls) -> Result<Self, Problem> {
        let (cert, key) = (&tls.cert_file, &tls.key_file);
        Self::load(&cert.value, &key.value).map_err(|error| cert.place.problem(error.to_string()))
    }

    /// Reads the certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// A file cannot be read, holds no certificate or no key, or the two do not belong together.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<Self, ConfigError> {
        // The provider is named: a process-wide default could be missing, or another one.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files { cert: cert_file.to_owned(), key: key_file.to_owned() };
        let contents = files.read()?;
        let certified = contents.certified(&provider)?;
        let current = Arc::new(Current { files, certified: RwLock::new(Arc::new(certified)), provider });
        let mut config = ServerConfig::builder_with_provider(current.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::new(format!("TLS cannot be set up: {error}")))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), current })
    }

    /// What accepts connections.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Follows the files for as long as it is polled.
    pub async fn follow(self) {
        self.current.log("certificate loaded");
        let mut seen = self.current.files.read().ok();
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let current = self.current.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || current.files.read()).await else { continue };
            // Files that cannot be read are being replaced; the next look finds them.
            let Ok(contents) = read else { continue };
            if seen.as_ref() != Some(&contents) {
                self.current.take_up(&contents);
                seen = Some(contents);
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.current.files).finish_non_exhaustive()
    }
}

/// Where the pair lies.
#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<Contents, ConfigError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| ConfigError::new(format!("{} cannot be read: {error}", path.display())))
        };
        Ok(Contents { cert: read(&self.cert)?, key: read(&self.key)? })
    }
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Contents {
    fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, ConfigError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|_| ConfigError::new("the certificate file is not PEM"))?;
        if chain.is_empty() {
            return Err(ConfigError::new("the certificate file holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| ConfigError::new("the key file holds no private key in PEM"))?;
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|_| ConfigError::new("the private key does not belong to the certificate, or is of no known kind"))
    }
}

/// The pair in use.
struct Current {
    files: Files,
    certified: RwLock<Arc<CertifiedKey>>,
    provider: Arc<CryptoProvider>,
}

impl Current {
    fn take_up(&self, contents: &Contents) {
        match contents.certified(&self.provider) {
            Ok(certified) => {
                *self.certified.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                self.log("certificate reloaded");
            }
            Err(error) => {
                tracing::warn!(cert = %self.files.cert.display(), %error, "the new certificate is not taken up");
            }
        }
    }

    fn log(&self, what: &str) {
        tracing::info!(cert = %self.files.cert.display(), "{what}");
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("files", &self.files).finish_non_exhaustive()
    }
}
