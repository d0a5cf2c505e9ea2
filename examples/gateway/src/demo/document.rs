//! The form of `demo.json`, which anybody who tries the gateway from outside relies on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `demo.json`.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// The profile that the accounts were made for.
    pub profile: String,
    /// Where the gateway listens; renewed at every start.
    pub base_url: String,
    /// Accounts that log in.
    pub users: Vec<DemoUser>,
    /// API keys, the one with every permission first, the one with the least last.
    pub api_keys: Vec<DemoKey>,
    /// OAuth clients, the one with every permission first, the one with the least last.
    pub clients: Vec<DemoClient>,
    /// What signs the gateway's own tokens; `null` where it has none.
    pub jwt: Option<DemoSigning>,
    /// A good access token of the first account; renewed at every start.
    pub bearer: Option<String>,
}

/// One account that logs in.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoUser {
    /// The user name.
    pub username: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The tenant it belongs to.
    pub tenant: String,
    /// The type of user.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The plan that chooses its limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What it may do.
    pub permissions: Vec<String>,
    /// The secret of its second factor, in base32, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
}

/// One API key.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoKey {
    /// The key itself.
    pub key: String,
    /// The environment it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The tenant it acts in.
    pub tenant: String,
    /// The plan that chooses its limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What it may do.
    pub permissions: Vec<String>,
}

/// One OAuth client.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoClient {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The tenant it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The plan that chooses its limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The environment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What it may do.
    pub permissions: Vec<String>,
}

/// What signs the gateway's own tokens.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoSigning {
    /// The value of `iss`.
    pub issuer: String,
    /// The value of `aud`.
    pub audience: String,
    /// The value of `alg`.
    pub algorithm: String,
    /// The value of `kid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The shared secret: its text is the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The private key (PKCS #8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_pem: Option<String>,
}

/// Prints no secret.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("profile", &self.profile)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DemoUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoUser").field("username", &self.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for DemoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoKey").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl fmt::Debug for DemoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoClient").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for DemoSigning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoSigning").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
