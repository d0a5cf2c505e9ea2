//! Accounts over HTTP: registering, logging in and out, refreshing, passwords, and the account itself.

use std::borrow::Cow;
use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, LoginName, TenantRecord};
use crate::clock::Now;
use crate::gate::Gate;
use crate::issue::journal::Event;
use crate::issue::{AccountError, Accounts, Login, NewAccount, PasswordFault, SecondFactorProof, TenantFor, Tokens};
use crate::names::Names;
use crate::principal::{Identity, Method, Principal};
use crate::rejection::{ContentFault, CredentialFault, Outage, Prohibition, Rejection};
use crate::store::SessionKey;
use crate::verify::{ApiKeyVerifier, Verifier as _};

use super::EndpointRequest;
use super::answer::Answer;
use super::content::{Content, invalid};
use super::cookie::AccessCookie;
use super::keys::Call;
use super::object::{Named, Object};
use super::words::Words;

/// Accounts as endpoints work with them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountEndpoints {
    /// The accounts.
    pub accounts: Accounts,
    /// What people log in with.
    pub login_by: LoginBy,
    /// What people get who register themselves.
    pub registration: Registration,
    /// The members of a user that is part of another answer; `None` for the usual ones.
    pub user: Option<Vec<&'static str>>,
    /// What verifies the API keys that people may log in with; `None` where they may not.
    pub keys: Option<ApiKeyVerifier>,
    /// The budget that a user's usage tells of.
    pub usage: Option<Usage>,
    /// The cookie that a login can ask for.
    pub cookie: Option<AccessCookie>,
}

/// What people log in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginBy {
    /// The member `email`, the default.
    #[default]
    Email,
    /// The member `user_name`.
    UserName,
}

impl LoginBy {
    const fn member(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::UserName => "user_name",
        }
    }
}

/// What people get who register themselves.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// Where they belong.
    pub tenant: TenantFor,
    /// The plan that chooses their limits.
    pub plan: Option<Arc<str>>,
    /// The type of user that they are.
    pub kind: Option<Arc<str>>,
    /// What they are.
    pub roles: Names,
    /// What they may do.
    pub permissions: Names,
}

/// The budget that a user's usage tells of.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The gate that counts it.
    pub gate: Gate,
    /// What the limit is called in the plans.
    pub limit: Arc<str>,
    /// What is told of it; `None` for `limit`, `remaining` and `reset_at`.
    pub members: Option<Vec<&'static str>>,
}

/// The members of a user unless others are configured.
const USER: [&str; 4] = ["id", "email", "name", "tenant"];

/// What is told of a usage unless other members are configured.
const USAGE: [&str; 3] = ["limit", "remaining", "reset_at"];

impl AccountEndpoints {
    /// Accounts that are logged in to by address, with nothing more; set the fields for more.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            login_by: LoginBy::default(),
            registration: Registration::default(),
            user: None,
            keys: None,
            usage: None,
            cookie: None,
        }
    }

    pub(super) async fn register(&self, content: &Content<'_>, call: &Call<'_>) -> Result<Answer, Rejection> {
        let mut wanted = NewAccount::new();
        let name = content.required(self.login_by.member())?.to_owned();
        match self.login_by {
            LoginBy::Email if !is_address(&name) => {
                return Err(content.invalid("email", "must be an address such as ada@example.com"));
            }
            LoginBy::Email => wanted.email = Some(name),
            LoginBy::UserName => {
                wanted.user_name = Some(name);
                wanted.email = content.text("email")?.map(str::to_owned);
            }
        }
        wanted.password = Some(content.secret("password")?);
        wanted.name = called(content)?;
        let Registration { tenant, plan, kind, roles, permissions } = self.registration.clone();
        wanted.tenant = tenant;
        wanted.plan = plan;
        wanted.kind = kind;
        wanted.roles = roles;
        wanted.permissions = permissions;
        let account = self.accounts.create(wanted, call.now).await.map_err(|error| self.refused(error, call.words))?;
        Event::of("register").account(&account.id).client(call.client).tell();
        let user = self.told(&account, None, call).await?;
        Ok(Answer::object(201, &user.named(call.members, call.words)))
    }

    pub(super) async fn log_in(
        &self,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before a session is opened
        let refused = |error| self.refused(error, call.words);
        let tokens = if self.keys.is_some() && content.has("api_key") {
            let key = self.verified_key(content.required("api_key")?, request, call.now).await?;
            self.accounts.log_in_with_key(&key, call.client, call.now).await.map_err(refused)?
        } else {
            let mut login = Login::new(content.required(self.login_by.member())?, content.secret("password")?);
            login.second_factor = second_factor(content)?;
            login.source = request.client;
            self.accounts.log_in(login, call.now).await.map_err(refused)?
        };
        self.given(tokens, content, call).await
    }

    /// The identity of a key that is logged in with, where it may be used from there.
    async fn verified_key(&self, key: &str, request: &EndpointRequest, now: Now) -> Result<Arc<Identity>, Rejection> {
        let verifier = self.keys.as_ref().ok_or(Rejection::Internal)?;
        let identity = verifier.verify(key, now).resolve().await?;
        let may_come = |set: &Arc<crate::NetworkSet>| request.client.is_some_and(|client| set.contains(client));
        if identity.networks.as_ref().is_none_or(may_come) {
            Ok(identity)
        } else {
            Err(Rejection::Forbidden(Prohibition::Network))
        }
    }

    pub(super) async fn refresh(&self, content: &Content<'_>, call: &Call<'_>) -> Result<Answer, Rejection> {
        content.flag("cookie")?; // what is wrong is told before the token is spent
        let token = content.required("refresh_token")?;
        let mut tokens = self.refreshed(self.accounts.refresh(token, call.now).await, None, call)?;
        // a client is told the token that is in force, also where it is the one it has
        tokens.refresh = tokens.refresh.or_else(|| Some(Secret::from(token)));
        self.given(tokens, content, call).await
    }

    pub(super) async fn refresh_by_access_token(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let session = caller.session.as_deref().filter(|_| self.is_own(caller) && caller.method == Method::Jwt);
        let session = session.ok_or(Rejection::InvalidCredential(CredentialFault::Kind))?;
        let tokens = self.accounts.refresh_session(session, call.now).await;
        self.given(self.refreshed(tokens, Some(caller), call)?, content, call).await
    }

    /// Tells what came of a refresh.
    fn refreshed(
        &self,
        tokens: Result<Tokens, AccountError>,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Tokens, Rejection> {
        match &tokens {
            Ok(tokens) => {
                let event = Event::of("refresh").account(&tokens.account.id).session(&tokens.session);
                event.client(call.client).tell();
            }
            Err(error) => {
                let (account, session) =
                    (caller.map(|caller| &*caller.subject), caller.and_then(|caller| caller.session.as_deref()));
                let event = Event { account, session, ..Event::of("refresh_failed") };
                event.cause(error.cause()).client(call.client).tell();
            }
        }
        tokens.map_err(|error| self.refused(error, call.words))
    }

    pub(super) async fn log_out(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let refused = |error| self.refused(error, call.words);
        let session = caller.session.as_deref().filter(|_| self.is_own(caller));
        let session = session.ok_or(Rejection::InvalidCredential(CredentialFault::Kind))?;
        let token = content.text("refresh_token")?;
        self.accounts.end_session(session, call.now).await.map_err(refused)?;
        if let Some(token) = token {
            self.accounts.end_session_of(token, call.now).await.map_err(refused)?;
        }
        Event::of("logout").account(&caller.subject).session(session).client(call.client).tell();
        let answer = Answer::nothing(204);
        Ok(match &self.cookie {
            Some(cookie) => answer.field("set-cookie", cookie.removal()),
            None => answer,
        })
    }

    pub(super) async fn change_password(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        request: &EndpointRequest,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let name = account.login_names().next().map(|name| name.written().to_string()).unwrap_or_default();
        let mut login = Login::new(name, content.secret("old_password")?);
        login.second_factor = second_factor(content)?;
        login.source = request.client;
        let new = content.secret("new_password")?;
        let changed = self.accounts.change_password(login, new, call.now).await;
        changed.map_err(|error| match error {
            AccountError::Weak(faults) => weak(call.words, "new_password", &faults),
            other => self.refused(other, call.words),
        })?;
        Ok(Answer::nothing(204))
    }

    pub(super) async fn show(&self, caller: &Principal, call: &Call<'_>) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let user = self.told(&account, Some(caller), call).await?;
        Ok(Answer::object(200, &user.named(call.members, call.words)))
    }

    pub(super) async fn change(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.own(caller, call).await?;
        let refused = |error| self.refused(error, call.words);
        let name = called(content)?;
        // whoever has a key or a stolen token must not be able to take the account over; sending back what was shown is fine
        if let Some(email) = content.text("email")?
            && account.email.as_ref().map(|own| &**own.written()) != Some(email)
        {
            return Err(content.invalid("email", "cannot be changed here"));
        }
        let mut changed = account;
        if let Some(name) = name {
            let change = AccountChange::Name(Some(name));
            changed = Arc::new(self.accounts.change(&changed.id, change, call.now).await.map_err(refused)?);
        }
        let user = self.told(&changed, Some(caller), call).await?;
        Ok(Answer::object(200, &user.named(call.members, call.words)))
    }

    pub(super) async fn enrol(&self, caller: &Principal, call: &Call<'_>) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let begun = self.accounts.enrol_second_factor(&account.id, call.now).await;
        let begun = begun.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("secret", begun.secret.expose_text());
        answer.say("otpauth_uri", begun.uri.expose_text());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    pub(super) async fn confirm(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let codes = self.accounts.confirm_second_factor(&account.id, &content.secret("code")?, call.now).await;
        let codes = codes.map_err(|error| self.refused(error, call.words))?;
        let mut answer = Object::default();
        answer.say("recovery_codes", codes.iter().map(Secret::expose_text).collect::<Vec<_>>());
        Ok(Answer::object(200, &answer.named(call.members, call.words)))
    }

    pub(super) async fn disable(
        &self,
        caller: &Principal,
        content: &Content<'_>,
        call: &Call<'_>,
    ) -> Result<Answer, Rejection> {
        let account = self.person(caller, call).await?;
        let proof = second_factor(content)?;
        let disabled = self.accounts.disable_second_factor(&account.id, proof, call.now).await;
        disabled.map_err(|error| self.refused(error, call.words))?;
        Ok(Answer::nothing(204))
    }

    /// Accounts are subjects of our own. One that another issuer vouches for may have the name of one of ours.
    fn is_own(&self, caller: &Principal) -> bool {
        caller.issuer == *self.accounts.issuer()
    }

    /// The account of the caller.
    async fn own(&self, caller: &Principal, call: &Call<'_>) -> Result<Arc<AccountRecord>, Rejection> {
        if !self.is_own(caller) {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        match self.accounts.find(&caller.subject).await {
            // a key that somebody made at the command line need not belong to an account
            Err(AccountError::Missing) => Err(Rejection::Forbidden(Prohibition::Denied)),
            found => found.map_err(|error| self.refused(error, call.words)),
        }
    }

    /// The account of a caller who is logged in. Whoever has a key alone must not change what its owner logs in with: a
    /// second factor that a thief confirms locks the owner out.
    async fn person(&self, caller: &Principal, call: &Call<'_>) -> Result<Arc<AccountRecord>, Rejection> {
        if caller.method != Method::Jwt || self.key_of_session(caller).await?.is_some() {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        self.own(caller, call).await
    }

    /// The key that the caller's session was opened with; `None` for people, and for callers without a session here.
    pub(super) async fn key_of_session(&self, caller: &Principal) -> Result<Option<Arc<str>>, Rejection> {
        let session = caller.session.as_deref().filter(|_| self.is_own(caller) && caller.method == Method::Jwt);
        let Some(session) = session else { return Ok(None) };
        let found = self.accounts.store().session(&SessionKey::Id(session.into())).resolve().await;
        let found = found.map_err(|error| Rejection::Unavailable(Outage::new(format!("accounts: {error}"))))?;
        Ok(found.and_then(|session| session.key))
    }

    /// What a client is given for a login or a refresh.
    async fn given(&self, tokens: Tokens, content: &Content<'_>, call: &Call<'_>) -> Result<Answer, Rejection> {
        let wants_cookie = content.flag("cookie")?;
        let mut answer = Object::default();
        answer.say("access_token", tokens.access.token.expose_text());
        answer.say("token_type", "bearer");
        answer.say("expires_in", tokens.access.lifetime.as_secs());
        answer.say("expires_at", call.words.time(tokens.access.expires));
        answer.say("refresh_token", tokens.refresh.as_ref().and_then(Secret::expose_text));
        answer.say("session", &*tokens.session);
        if call.members.contains(&"user") {
            let user = self.user(&tokens.account, tokens.tenant.as_ref(), None, call).await?;
            answer.nest("user", self.shaped(user, call.words));
        }
        let mut members = call.members.to_vec();
        if tokens.refresh.is_none() {
            members.retain(|member| *member != "refresh_token");
        }
        let answer = Answer::object(200, &answer.named(&members, call.words));
        Ok(match self.cookie.as_ref().filter(|_| wants_cookie) {
            Some(cookie) => answer.field("set-cookie", cookie.of(&tokens.access)),
            None => answer,
        })
    }

    fn shaped(&self, user: Object, words: &Words) -> Named {
        user.named(self.user.as_deref().unwrap_or(&USER), words)
    }

    async fn told(
        &self,
        account: &AccountRecord,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Object, Rejection> {
        let tenant = self.accounts.tenant_of(account).await.map_err(|error| self.refused(error, call.words))?;
        self.user(account, tenant.as_ref(), caller, call).await
    }

    /// Everything that an answer may tell of an account.
    async fn user(
        &self,
        account: &AccountRecord,
        tenant: Option<&TenantRecord>,
        caller: Option<&Principal>,
        call: &Call<'_>,
    ) -> Result<Object, Rejection> {
        let text = |name: &Option<LoginName>| name.as_ref().map(|name| name.written().to_string());
        let plan = Accounts::plan_of(account, tenant);
        let mut user = Object::default();
        user.say("id", &*account.id);
        user.say("email", text(&account.email));
        user.say("user_name", text(&account.user_name));
        user.say("name", account.name.as_deref());
        user.say("tenant", account.tenant.as_deref());
        user.say("tenant_name", tenant.map(|tenant| &*tenant.name));
        user.say("plan", plan.as_deref());
        user.say("type", account.kind.as_deref());
        user.say("roles", account.roles.iter().collect::<Vec<_>>());
        user.say("permissions", account.permissions.iter().collect::<Vec<_>>());
        user.say("created_at", call.words.time(account.created));
        if let Some(usage) = &self.usage {
            let mut of = Identity::new(Method::Jwt, Arc::clone(self.accounts.issuer()), Arc::clone(&account.id));
            of.tenant = account.tenant.as_ref().map(Into::into);
            of.plan = plan.as_ref().map(Into::into);
            let of = caller.map_or(&of, |caller| &**caller);
            user.nest("usage", usage.told(of, call).await?);
        }
        Ok(user)
    }

    /// Why something was not done, as it is told.
    pub(super) fn refused(&self, error: AccountError, words: &Words) -> Rejection {
        match error {
            AccountError::Login(fault) => Rejection::LoginFailed(fault),
            AccountError::Refused(rejection) => rejection,
            AccountError::Network => Rejection::Forbidden(Prohibition::Network),
            AccountError::Token(fault) => Rejection::InvalidCredential(fault),
            AccountError::Weak(faults) => weak(words, "password", &faults),
            AccountError::NameTaken => Rejection::Conflict("there is an account with this name already"),
            AccountError::Name(error) => {
                let member = self.login_by.member();
                invalid(words, member, Cow::Owned(format!("cannot be a name: {error}")))
            }
            AccountError::Missing => Rejection::NotFound,
            AccountError::State(what) => Rejection::Conflict(what),
            AccountError::Hashing(error) => error.into(),
            AccountError::Random | AccountError::Store(_) => {
                Rejection::Unavailable(Outage::new(format!("accounts: {error}")))
            }
        }
    }
}

impl Usage {
    /// What is left of the budget; nothing of it is spent.
    async fn told(&self, of: &Identity, call: &Call<'_>) -> Result<Named, Rejection> {
        let balance = self.gate.remaining(of, &self.limit, call.now).resolve().await;
        let balance = balance.map_err(|error| Rejection::Unavailable(Outage::new(format!("budgets: {error}"))))?;
        let mut usage = Object::default();
        if let Some(balance) = balance {
            usage.say("limit", balance.quota().count());
            usage.say("remaining", balance.remaining());
            usage.say("reset_at", call.words.time(balance.resets(call.now.wall)));
        }
        Ok(usage.named(self.members.as_deref().unwrap_or(&USAGE), call.words))
    }
}

/// Everything that is wrong with a new password.
pub(super) fn weak(words: &Words, member: &str, faults: &[PasswordFault]) -> Rejection {
    let all = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Rejection::InvalidContent(ContentFault::Value { member: words.name(member).to_owned(), rule: all.into() })
}

/// What a person wants to be called.
fn called(content: &Content<'_>) -> Result<Option<Arc<str>>, Rejection> {
    let name = content.text("name")?;
    if name.is_some_and(|name| name.chars().count() > 200 || name.chars().any(char::is_control)) {
        return Err(content.invalid("name", "must have at most 200 characters, none of them control characters"));
    }
    Ok(name.map(Arc::from))
}

fn second_factor(content: &Content<'_>) -> Result<Option<SecondFactorProof>, Rejection> {
    if content.has("code") {
        return Ok(Some(SecondFactorProof::Code(content.secret("code")?)));
    }
    if content.has("recovery_code") {
        return Ok(Some(SecondFactorProof::RecoveryCode(content.secret("recovery_code")?)));
    }
    Ok(None)
}

/// Whether a text can be an e-mail address; whether there is such a mailbox only a mail can tell.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.trim().rsplit_once('@') else { return false };
    let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    is_word(local) && is_word(domain) && !domain.contains('@') && !domain.starts_with('.') && !domain.ends_with('.')
}
