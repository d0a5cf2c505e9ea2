//! The service's own HTTP endpoints, free of any framework: a request in, a reply out.
//!
//! What they do is in [`issue`](crate::issue); here is how they are asked and how they answer. Where they are, what their
//! members are called and which members they answer is configuration, so that an API keeps the shape that its clients
//! know. Who may use them is the policy's to say: a gate stands in front of them like in front of everything else.
//!
//! Content is one JSON object in UTF-8 of the type `application/json`, read strictly: two members of one name, a wrong type
//! or a missing member are told with the member's name, and then nothing was done. Members that nobody asks for are passed
//! over. Answers that hold a secret are `no-store`.
//!
//! - `kind`: which endpoints there are
//! - `table`: which of them is where
//! - `words`: what the API calls the members
//! - `content`, `object`, `answer`: reading and writing JSON
//! - `query`: which page of a list
//! - `accounts`: registering, logging in and out, refreshing, passwords, second factors; `cookie`: for browsers
//! - `keys`: API keys; `key_session`: what a session may do with them that was opened with one
//! - `asked`: what adapters carry from a framework's request to its response
//! - `oauth`: OAuth 2.0 for other people's clients
//! - `admin`: administration, under one prefix
//! - `builder`: putting it together

mod accounts;
mod admin;
mod answer;
mod asked;
mod builder;
mod content;
mod cookie;
mod form;
mod key_session;
mod keys;
mod kind;
mod oauth;
mod object;
mod query;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::Secret;
use crate::clock::Now;
use crate::issue::AccessTokenIssuer;
use crate::policy::{self, Policy};
use crate::principal::Principal;
use crate::rejection::{ContentFault, Rejection};
use crate::reply::Reply;

use accounts::Welcome;
pub use accounts::{AccountEndpoints, LoginBy, Registration, Usage};
pub use admin::AdminEndpoints;
pub use asked::{Answered, Asked, Received};
pub use builder::EndpointsBuilder;
pub use cookie::AccessCookie;
pub use keys::KeyEndpoints;
pub use kind::{Endpoint, EndpointAccess};
pub use oauth::{OAuthEndpoints, SubjectIssuers};
pub use table::Found;
pub use words::{Times, Words, member};

use answer::Answer;
use content::Content;
use keys::Call;
use table::{Placed, What};

/// The longest content that an endpoint takes, in bytes: several times what any of them needs.
pub const MAX_CONTENT: usize = 16 * 1024;

/// The endpoints of one service; clones share everything.
#[derive(Clone, Default)]
pub struct Endpoints(Arc<Parts>);

#[derive(Default)]
struct Parts {
    places: Vec<Placed>,
    words: Words,
    keys: Option<KeyEndpoints>,
    accounts: Option<AccountEndpoints>,
    issuer: Option<AccessTokenIssuer>,
    oauth: Option<OAuthEndpoints>,
    admin: Option<AdminEndpoints>,
}

/// What an endpoint is asked.
#[derive(Clone)]
#[non_exhaustive]
pub struct EndpointRequest {
    /// The method: HEAD gets no body.
    pub method: String,
    /// The query of its target, without the `?`.
    pub query: Option<String>,
    /// The value of `Content-Type`, where there is exactly one.
    pub media_type: Option<String>,
    /// The value of `Authorization`, where there is exactly one; read by the OAuth endpoints alone.
    pub authorization: Option<Secret>,
    /// The content, of at most [`MAX_CONTENT`] bytes.
    pub content: Vec<u8>,
    /// Who asks; `None` where the gate let nobody in particular pass.
    pub caller: Option<Principal>,
    /// The address of the client; `None` where it is not known.
    pub client: Option<IpAddr>,
    /// When it was asked.
    pub now: Now,
}

impl EndpointRequest {
    /// A request of that method without content from nobody in particular; set the fields for more.
    pub fn new(method: impl Into<String>, now: Now) -> Self {
        Self {
            method: method.into(),
            query: None,
            media_type: None,
            authorization: None,
            content: Vec::new(),
            caller: None,
            client: None,
            now,
        }
    }
}

/// Prints no content and no credential.
impl fmt::Debug for EndpointRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointRequest")
            .field("method", &self.method)
            .field("caller", &self.caller)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl Endpoints {
    /// Begins the endpoints of a service that has none yet.
    pub fn builder() -> EndpointsBuilder {
        EndpointsBuilder::default()
    }

    /// The policy with a rule for each endpoint: everybody for those that say by their content who asks, every caller with a
    /// good credential for the others, and both for those that can do with either. Whoever wants other rules adds them instead. Administration gets none: it needs one that
    /// names the permission to administrate.
    #[must_use]
    pub fn add_to(&self, policy: Policy) -> Policy {
        self.0.places.iter().fold(policy, |policy, placed| {
            let rule = match placed.endpoint.access() {
                EndpointAccess::Public => policy::public(),
                EndpointAccess::Optional => policy::optional(),
                EndpointAccess::Authenticated => policy::authenticated(),
            };
            placed.methods().fold(policy, |policy, method| policy.route(method, placed.path(), rule.clone()))
        })
    }

    /// The endpoint that a request of that method to that path, as it was sent, is for.
    pub fn find(&self, method: &str, path: &str) -> Option<Found> {
        let mut all = self.0.places.iter().enumerate();
        let found = all
            .find_map(|(place, placed)| Some(Found { what: What::Endpoint(place), id: placed.matches(method, path)? }));
        found.or_else(|| {
            let (operation, id) = self.0.admin.as_ref()?.find(method, path)?;
            Some(Found { what: What::Administration(operation), id })
        })
    }

    /// Whether it is one that speaks OAuth 2.0: its refusals have a shape of their own.
    fn is_oauth(&self, found: &Found) -> bool {
        let What::Endpoint(place) = found.what else { return false };
        self.0.places.get(place).is_some_and(|placed| placed.endpoint.is_oauth())
    }

    /// Whether it answers as RFC 6750 has resources answer, also where it refuses the credential that the gate took.
    fn is_resource(&self, found: &Found) -> bool {
        let What::Endpoint(place) = found.what else { return false };
        self.0.places.get(place).is_some_and(|placed| placed.endpoint == Endpoint::Userinfo)
    }

    /// Does what the endpoint is for, and answers it.
    ///
    /// Let it end once it was begun. Each step in a store is done or not; but where the future is dropped between two stores, a
    /// session that was just ended keeps its access tokens until they end or [`Accounts::resume`] is called.
    ///
    /// [`Accounts::resume`]: crate::issue::Accounts::resume
    ///
    /// # Errors
    /// Why nothing was done, to be told like every other refusal.
    pub async fn answer(&self, found: Found, request: EndpointRequest) -> Result<Reply, Rejection> {
        let parts = &*self.0;
        if request.content.len() > MAX_CONTENT {
            return Err(Rejection::InvalidContent(ContentFault::TooLarge(MAX_CONTENT)));
        }
        let answer = match found.what {
            What::Administration(operation) => {
                let admin = parts.admin.as_ref().ok_or(Rejection::NotFound)?;
                admin.answer(operation, &found.id, &request, &parts.words).await?
            }
            What::Endpoint(place) => {
                let placed = parts.places.get(place).ok_or(Rejection::NotFound)?;
                parts.answered(placed, &found.id, &request).await?.with_status(placed.status)
            }
        };
        Ok(answer.into_reply(&request.method))
    }
}

impl Parts {
    /// A ticket that nobody takes is sent to nobody.
    fn welcome(&self) -> Welcome {
        let is_taken = self.places.iter().any(|placed| placed.endpoint == Endpoint::VerifyEmail);
        if is_taken { Welcome::WithTicket } else { Welcome::Silent }
    }

    async fn answered(&self, placed: &Placed, id: &str, request: &EndpointRequest) -> Result<Answer, Rejection> {
        let call = Call { words: &self.words, members: &placed.members, client: request.client, now: request.now };
        let content = |is_needed: Needed| {
            let read = if is_needed == Needed::Yes { Content::read } else { Content::read_any };
            read(request.media_type.as_deref(), &request.content, &self.words)
        };
        let caller = || request.caller.as_ref().ok_or(Rejection::MissingCredential);
        // the builder sees to it that every endpoint has the part it works on
        let keys = || self.keys.as_ref().ok_or(Rejection::Internal);
        let accounts = || self.accounts.as_ref().ok_or(Rejection::Internal);
        match placed.endpoint {
            oauth if oauth.is_oauth() => {
                let endpoints = self.oauth.as_ref().ok_or(Rejection::Internal)?;
                Ok(endpoints.answer(oauth, request).await)
            }
            Endpoint::Token | Endpoint::RevokeToken | Endpoint::IntrospectToken => Err(Rejection::Internal),
            Endpoint::OAuthMetadata => {
                let endpoints = self.oauth.as_ref().ok_or(Rejection::Internal)?;
                Ok(endpoints.metadata(self.places.iter().map(|placed| (placed.endpoint, placed.path()))))
            }
            Endpoint::PublicKeys => {
                let issuer = self.issuer.as_ref().ok_or(Rejection::Internal)?;
                Ok(Answer::document(issuer.keys().jwks()))
            }
            Endpoint::CreateKey => {
                let content = content(Needed::Yes)?;
                keys()?.create(&self.key_holder(caller()?, call.now).await?, &content, &call).await
            }
            Endpoint::ListKeys => {
                let query = request.query.as_deref();
                keys()?.list(&self.key_holder(caller()?, call.now).await?, query, &call).await
            }
            Endpoint::ShowKey => keys()?.show(&self.key_holder(caller()?, call.now).await?, id, &call).await,
            Endpoint::RevokeKey => {
                let holder = self.key_holder(caller()?, call.now).await?;
                let answer = keys()?.revoke(&holder, id, &call).await?;
                self.end_sessions_of(&holder, id, call.now).await?;
                Ok(answer)
            }
            Endpoint::KeyUsage => keys()?.usage(&self.key_holder(caller()?, call.now).await?, id, &call).await,
            Endpoint::RotateKey => {
                let content = content(Needed::No)?;
                let holder = self.key_holder(caller()?, call.now).await?;
                let (answer, overlap) = keys()?.rotate(&holder, id, &content, &call).await?;
                if overlap.is_zero() {
                    self.end_sessions_of(&holder, id, call.now).await?;
                }
                Ok(answer)
            }
            Endpoint::Register => accounts()?.register(&content(Needed::Yes)?, self.welcome(), &call).await,
            Endpoint::Login => accounts()?.log_in(&content(Needed::Yes)?, request, &call).await,
            Endpoint::LoginByAssertion => accounts()?.log_in_by_assertion(&content(Needed::Yes)?, &call).await,
            Endpoint::ShowSso => accounts()?.show_sso(request, &call).await,
            Endpoint::LoginByCode => accounts()?.log_in_by_code(&content(Needed::No)?, request, &call).await,
            Endpoint::Refresh => accounts()?.refresh(&content(Needed::Yes)?, &call).await,
            Endpoint::RefreshByAccessToken => {
                accounts()?.refresh_by_access_token(caller()?, &content(Needed::No)?, &call).await
            }
            Endpoint::Logout => accounts()?.log_out(caller()?, &content(Needed::No)?, &call).await,
            Endpoint::ChangePassword => {
                accounts()?.change_password(caller()?, &content(Needed::Yes)?, request, &call).await
            }
            Endpoint::ChangePasswordByName => {
                accounts()?.change_password_by_name(&content(Needed::Yes)?, request, &call).await
            }
            Endpoint::ShowAccount => accounts()?.show(caller()?, &call).await,
            Endpoint::Userinfo => accounts()?.userinfo(caller()?, &call).await,
            Endpoint::ChangeAccount => accounts()?.change(caller()?, &content(Needed::Yes)?, &call).await,
            Endpoint::RequestPasswordReset => accounts()?.request_password_reset(&content(Needed::Yes)?, &call).await,
            Endpoint::ResetPassword => accounts()?.reset_password(&content(Needed::Yes)?, &call).await,
            Endpoint::RequestEmailVerification => {
                let caller = request.caller.as_ref();
                accounts()?.request_email_verification(caller, &content(Needed::No)?, &call).await
            }
            Endpoint::VerifyEmail => accounts()?.verify_email(&content(Needed::Yes)?, &call).await,
            Endpoint::EnrolSecondFactor => {
                accounts()?.enrol(request.caller.as_ref(), &content(Needed::No)?, &call).await
            }
            Endpoint::ConfirmSecondFactor => {
                accounts()?.confirm(request.caller.as_ref(), &content(Needed::No)?, &call).await
            }
            Endpoint::DisableSecondFactor => accounts()?.disable(caller()?, &content(Needed::No)?, &call).await,
        }
    }
}

/// Whether an endpoint can do without content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.places.iter().map(|placed| placed.endpoint)).finish()
    }
}
