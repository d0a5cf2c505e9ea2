//! Verification, policy and refusals for HTTP services, free of any framework.
//!
//! One [`gate`] stands in front of a service: it reads the one credential of a request, verifies it, asks the
//! policy, and answers either the caller to attach or a complete refusal. The adapters `auth-tower` and `auth-actix`
//! translate; nothing is decided or rendered in them.

#[cfg(feature = "issue")]
pub mod account;
pub mod api_key;
mod claims;
#[cfg(feature = "issue")]
pub mod client;
mod client_address;
mod clock;
pub mod credential;
#[cfg(feature = "issue")]
pub mod endpoint;
mod error;
pub mod fetch;
mod forward_auth;
pub mod gate;
#[cfg(feature = "issue")]
pub mod issue;
mod json;
pub mod keys;
pub mod limit;
mod names;
mod network;
mod nh;
pub mod opaque;
mod origin;
mod outcome;
pub mod policy;
mod principal;
mod rejection;
pub mod reply;
mod request;
pub mod revocation;
mod rfc3339;
mod search;
mod secret;
mod shared_str;
pub mod store;
mod stray;
mod thread_number;
#[cfg(feature = "issue")]
pub mod trust;
#[cfg(feature = "issue")]
pub mod usage;
pub mod verify;

pub use claims::{Claim, ClaimError, Claims};
pub use client_address::client_address;
pub use clock::{Clock, Monotonic, Now, SimulatedClock, SystemClock, Timestamp};
pub use error::{ConfigError, ConfigErrors, StoreError};
pub use forward_auth::{OriginalBy, OriginalRequest};
pub use names::Names;
pub use network::NetworkSet;
pub use origin::Origin;
pub use outcome::{Outcome, Pending};
pub use principal::{Anonymous, Identity, Method, Principal};
pub use rejection::{
    ContentFault, CredentialFault, LimitExceeded, LoginFault, MissingPermissions, Outage, Prohibition, Rejection,
    RequestFault, RetryAfter, UpstreamFault,
};
pub use request::{Field, FieldNames, Headers, RequestHead};
pub use secret::Secret;
pub use shared_str::SharedStr;
