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
    /// Gives new tokens for a refresh token.
    Refresh,
    /// Gives a new access token for one that is still good.
    RefreshByAccessToken,
    /// Ends the session of the caller.
    Logout,
    /// Gives the caller another password for the old one.
    ChangePassword,
    /// The same for whoever says in the content who it is: for APIs where nobody has to be logged in for that.
    ChangePasswordByName,
    /// Shows the caller's account.
    ShowAccount,
    /// Changes the caller's account.
    ChangeAccount,
    /// Begins a second factor.
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
}

/// Who may use an endpoint unless a rule says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointAccess {
    /// Everybody; what it is sent says who they are.
    Public,
    /// Every caller with a good credential.
    Authenticated,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 20] = [
        Self::Register,
        Self::Login,
        Self::LoginByAssertion,
        Self::Refresh,
        Self::RefreshByAccessToken,
        Self::Logout,
        Self::ChangePassword,
        Self::ChangePasswordByName,
        Self::ShowAccount,
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
    ];

    /// Its stable name, in configurations and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Login => "login",
            Self::LoginByAssertion => "login_by_assertion",
            Self::Refresh => "refresh",
            Self::RefreshByAccessToken => "refresh_by_access_token",
            Self::Logout => "logout",
            Self::ChangePassword => "change_password",
            Self::ChangePasswordByName => "change_password_by_name",
            Self::ShowAccount => "show_account",
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
        }
    }

    /// The endpoint of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.as_str() == name)
    }

    /// The method that it is asked with, unless another is configured.
    pub const fn method(self) -> &'static str {
        match self {
            Self::ShowAccount | Self::ListKeys | Self::ShowKey | Self::KeyUsage | Self::PublicKeys => "GET",
            Self::ChangeAccount => "PUT",
            Self::RevokeKey => "DELETE",
            _ => "POST",
        }
    }

    /// Who may use it unless a rule says otherwise.
    pub const fn access(self) -> EndpointAccess {
        match self {
            Self::Register
            | Self::Login
            | Self::LoginByAssertion
            | Self::Refresh
            | Self::ChangePasswordByName
            | Self::PublicKeys => EndpointAccess::Public,
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

    /// Whether it works on accounts or their sessions.
    pub const fn is_about_accounts(self) -> bool {
        !self.is_about_keys() && !matches!(self, Self::PublicKeys)
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
            Self::Login | Self::LoginByAssertion => {
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
            Self::Logout
            | Self::ChangePassword
            | Self::ChangePasswordByName
            | Self::DisableSecondFactor
            | Self::RevokeKey
            | Self::PublicKeys => &[],
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
