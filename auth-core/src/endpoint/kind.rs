//! Which endpoints there are.

use std::fmt;

/// One endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// Makes an account.
    Register,
    /// Opens a session.
    Login,
    /// Opens a session for whoever brings the signed word of a partner.
    LoginByAssertion,
    /// Says whether there is an OpenID provider, and where to send a person who wants to log in there.
    ShowSso,
    /// Opens a session for a person who comes back from the provider with a code.
    LoginByCode,
    /// Gives new tokens for a refresh token.
    Refresh,
    /// Gives a new access token for one that is still good.
    RefreshByAccessToken,
    /// Ends the session of the caller.
    Logout,
    /// Gives the caller another password for the old one.
    ChangePassword,
    /// Sends a ticket for another password to an account's mailbox.
    RequestPasswordReset,
    /// Gives an account another password for a ticket.
    ResetPassword,
    /// Sends a ticket that verifies the address to the mailbox of the caller, or of whoever shows name and password.
    RequestEmailVerification,
    /// Takes such a ticket.
    VerifyEmail,
    /// The same for whoever says in the content who it is: for APIs where nobody has to be logged in for that.
    ChangePasswordByName,
    /// Shows the caller's account.
    ShowAccount,
    /// Tells a client who the person is whose token it has (OpenID Connect Core section 5.3).
    Userinfo,
    /// Changes the caller's account.
    ChangeAccount,
    /// Begins a second factor, for the caller or for whoever shows name and password.
    EnrolSecondFactor,
    /// Confirms a second factor by its first code.
    ConfirmSecondFactor,
    /// Asks for no second factor any more.
    DisableSecondFactor,
    /// Makes an API key.
    CreateKey,
    /// Lists the caller's API keys.
    ListKeys,
    /// Shows one of them.
    ShowKey,
    /// Takes one of them back.
    RevokeKey,
    /// Replaces one of them.
    RotateKey,
    /// Tells how much one of them is used.
    KeyUsage,
    /// Publishes the keys that verify access tokens (RFC 7517 section 5).
    PublicKeys,
    /// Gives tokens to OAuth clients (RFC 6749 section 3.2).
    Token,
    /// Takes tokens of OAuth clients back (RFC 7009).
    RevokeToken,
    /// Tells OAuth clients whether a token is good (RFC 7662).
    IntrospectToken,
    /// Says which of these there are (RFC 8414).
    OAuthMetadata,
}

/// Who may use an endpoint unless a rule says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointAccess {
    /// Everybody; what it is sent says who they are.
    Public,
    /// Every caller with a good credential, and everybody without one; what it is sent says who they are.
    Optional,
    /// Every caller with a good credential.
    Authenticated,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 31] = [
        Self::Register,
        Self::Login,
        Self::LoginByAssertion,
        Self::ShowSso,
        Self::LoginByCode,
        Self::Refresh,
        Self::RefreshByAccessToken,
        Self::Logout,
        Self::ChangePassword,
        Self::RequestPasswordReset,
        Self::ResetPassword,
        Self::RequestEmailVerification,
        Self::VerifyEmail,
        Self::ChangePasswordByName,
        Self::ShowAccount,
        Self::Userinfo,
        Self::ChangeAccount,
        Self::EnrolSecondFactor,
        Self::ConfirmSecondFactor,
        Self::DisableSecondFactor,
        Self::CreateKey,
        Self::ListKeys,
        Self::ShowKey,
        Self::RevokeKey,
        Self::RotateKey,
        Self::KeyUsage,
        Self::PublicKeys,
        Self::Token,
        Self::RevokeToken,
        Self::IntrospectToken,
        Self::OAuthMetadata,
    ];

    /// Its stable name, in configurations and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Login => "login",
            Self::LoginByAssertion => "login_by_assertion",
            Self::ShowSso => "show_sso",
            Self::LoginByCode => "login_by_code",
            Self::Refresh => "refresh",
            Self::RefreshByAccessToken => "refresh_by_access_token",
            Self::Logout => "logout",
            Self::ChangePassword => "change_password",
            Self::RequestPasswordReset => "request_password_reset",
            Self::ResetPassword => "reset_password",
            Self::RequestEmailVerification => "request_email_verification",
            Self::VerifyEmail => "verify_email",
            Self::ChangePasswordByName => "change_password_by_name",
            Self::ShowAccount => "show_account",
            Self::Userinfo => "userinfo",
            Self::ChangeAccount => "change_account",
            Self::EnrolSecondFactor => "enrol_second_factor",
            Self::ConfirmSecondFactor => "confirm_second_factor",
            Self::DisableSecondFactor => "disable_second_factor",
            Self::CreateKey => "create_key",
            Self::ListKeys => "list_keys",
            Self::ShowKey => "show_key",
            Self::RevokeKey => "revoke_key",
            Self::RotateKey => "rotate_key",
            Self::KeyUsage => "key_usage",
            Self::PublicKeys => "public_keys",
            Self::Token => "token",
            Self::RevokeToken => "revoke_token",
            Self::IntrospectToken => "introspect_token",
            Self::OAuthMetadata => "oauth_metadata",
        }
    }

    /// The endpoint of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.as_str() == name)
    }

    /// The method that it is asked with, unless another is configured.
    pub const fn method(self) -> &'static str {
        match self {
            Self::ShowSso
            | Self::ShowAccount
            | Self::Userinfo
            | Self::ListKeys
            | Self::ShowKey
            | Self::KeyUsage
            | Self::PublicKeys
            | Self::OAuthMetadata => "GET",
            Self::ChangeAccount => "PUT",
            Self::RevokeKey => "DELETE",
            _ => "POST",
        }
    }

    /// Another method that its standard has it take, besides [`method`](Self::method).
    pub const fn other_method(self) -> Option<&'static str> {
        match self {
            Self::Userinfo => Some("POST"),
            _ => None,
        }
    }

    /// Who may use it unless a rule says otherwise.
    pub const fn access(self) -> EndpointAccess {
        match self {
            Self::Register
            | Self::Login
            | Self::LoginByAssertion
            | Self::ShowSso
            | Self::LoginByCode
            | Self::Refresh
            | Self::ChangePasswordByName
            | Self::RequestPasswordReset
            | Self::ResetPassword
            | Self::VerifyEmail
            | Self::PublicKeys
            | Self::Token
            | Self::RevokeToken
            | Self::IntrospectToken
            | Self::OAuthMetadata => EndpointAccess::Public,
            Self::RequestEmailVerification | Self::EnrolSecondFactor | Self::ConfirmSecondFactor => {
                EndpointAccess::Optional
            }
            _ => EndpointAccess::Authenticated,
        }
    }

    /// Whether its path has to say which key is meant, by the parameter `{id}`.
    pub const fn has_id(self) -> bool {
        matches!(self, Self::ShowKey | Self::RevokeKey | Self::RotateKey | Self::KeyUsage)
    }

    /// Whether it works on API keys.
    pub const fn is_about_keys(self) -> bool {
        self.has_id() || matches!(self, Self::CreateKey | Self::ListKeys)
    }

    /// Whether it is about messages to people.
    pub const fn is_about_messages(self) -> bool {
        matches!(
            self,
            Self::RequestPasswordReset | Self::ResetPassword | Self::RequestEmailVerification | Self::VerifyEmail
        )
    }

    /// Whether it works on accounts or their sessions.
    pub const fn is_about_accounts(self) -> bool {
        !self.is_about_keys() && !matches!(self, Self::PublicKeys | Self::OAuthMetadata) && !self.is_oauth()
    }

    /// Whether it speaks OAuth 2.0: its methods, parameters and members are those of the standards.
    pub const fn is_oauth(self) -> bool {
        matches!(self, Self::Token | Self::RevokeToken | Self::IntrospectToken)
    }

    /// Whether its method, its members and its status are a standard's to say, so that none of them can be configured.
    pub(super) const fn is_fixed(self) -> bool {
        self.is_oauth() || matches!(self, Self::OAuthMetadata | Self::Userinfo)
    }

    /// What it answers unless other members are configured.
    pub(super) const fn members(self) -> &'static [&'static str] {
        const KEY: &[&str] = &[
            "id",
            "name",
            "description",
            "starts_with",
            "environment",
            "permissions",
            "networks",
            "status",
            "created_at",
            "expires_at",
            "last_used_at",
            "rotated_from",
            "replaced_by",
        ];
        const FRESH_KEY: &[&str] = &[
            "id",
            "name",
            "description",
            "key",
            "starts_with",
            "environment",
            "permissions",
            "networks",
            "created_at",
            "expires_at",
            "rotated_from",
        ];
        const USER: &[&str] =
            &["id", "email", "user_name", "name", "tenant", "tenant_name", "plan", "type", "roles", "permissions"];
        match self {
            Self::ShowSso => &["enabled", "authorization_url", "client_id", "scopes", "state"],
            Self::Login | Self::LoginByAssertion | Self::LoginByCode => {
                &["access_token", "token_type", "expires_in", "refresh_token", "user"]
            }
            Self::Refresh => &["access_token", "token_type", "expires_in", "refresh_token"],
            Self::RefreshByAccessToken => &["access_token", "token_type", "expires_in"],
            Self::Register | Self::ShowAccount | Self::ChangeAccount => USER,
            Self::CreateKey | Self::RotateKey => FRESH_KEY,
            Self::ListKeys | Self::ShowKey => KEY,
            Self::KeyUsage => &["id", "last_used_at", "total", "by_status", "by_hour"],
            Self::EnrolSecondFactor => &["secret", "otpauth_uri"],
            Self::ConfirmSecondFactor => &["recovery_codes"],
            // what some of them answer is a standard's to say
            Self::Logout
            | Self::ChangePassword
            | Self::RequestPasswordReset
            | Self::ResetPassword
            | Self::RequestEmailVerification
            | Self::VerifyEmail
            | Self::ChangePasswordByName
            | Self::DisableSecondFactor
            | Self::RevokeKey
            | Self::Userinfo
            | Self::PublicKeys
            | Self::Token
            | Self::RevokeToken
            | Self::IntrospectToken
            | Self::OAuthMetadata => &[],
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
